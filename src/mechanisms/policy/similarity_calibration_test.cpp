#include "mechanisms/policy/similarity_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr RiskTarget kTarget{.alpha = 0.05, .delta = 0.05};

/// Wrong with a probability that grows from 0 at 1 to 0.4 at 0.6, that is by the distance.
std::vector<ScoredPair> drawn(std::uint32_t seed, int count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::vector<ScoredPair> pairs;
  for (int i = 0; i < count; ++i) {
    const double cosine = 0.6 + 0.4 * uniform(random);
    pairs.push_back({.cosine = cosine, .same_facts = true, .same = uniform(random) < cosine});
  }
  return pairs;
}

TEST(SimilarityCalibration, TheLeastThresholdThatIsShown) {
  // From t on, (1 - t) / 2 of the hits are wrong: 5 % at 0.9.
  const auto choice = choose_similarity(drawn(1, 20'000), kTarget);
  ASSERT_TRUE(choice);
  EXPECT_NEAR(choice->at.threshold, 0.91, 0.015);
  EXPECT_LE(choice->upper_bound, kTarget.alpha + 1e-9);
  EXPECT_GT(choice->at.hits, 1'000);
}

TEST(SimilarityCalibration, BreaksAlphaAsRarelyAsPromised) {
  int broken = 0;
  constexpr int kRuns = 400;
  for (int run = 0; run < kRuns; ++run) {
    const auto choice = choose_similarity(drawn(static_cast<std::uint32_t>(run), 1'000), kTarget);
    if (choice) broken += (1 - choice->at.threshold) / 2 > kTarget.alpha ? 1 : 0;
  }
  EXPECT_LE(broken, kRuns * kTarget.delta * 1.6);
}

TEST(SimilarityCalibration, NoneWithoutEnoughHits) {
  EXPECT_FALSE(choose_similarity({}, kTarget));
  std::vector<ScoredPair> pairs(static_cast<std::size_t>(least_data(kTarget)) - 1,
                                {.cosine = 1, .same_facts = true, .same = true});
  EXPECT_FALSE(choose_similarity(pairs, kTarget));
  pairs.push_back(pairs.front());
  ASSERT_TRUE(choose_similarity(pairs, kTarget));
  for (ScoredPair& pair : pairs) pair.same_facts = false;
  EXPECT_FALSE(choose_similarity(pairs, kTarget)) << "no hits where facts differ";
  for (ScoredPair& pair : pairs) pair = {.cosine = 1, .same_facts = true, .same = false};
  EXPECT_FALSE(choose_similarity(pairs, kTarget));
}

TEST(SimilarityCalibration, FilesComeBackAsTheyWere) {
  const auto file = std::filesystem::path(testing::TempDir()) / "x.similarity";
  const SimilarityCalibration saved{
      .embedder = {{"gguf", "abc"}},
      .target = kTarget,
      .choice = {.at = {.threshold = 0.93, .hits = 100, .wrong = 1}, .upper_bound = 0.047},
      .pairs = 300,
      .data_hash = "h"};
  ASSERT_TRUE(save_similarity(saved, file));
  const auto loaded = load_similarity(file);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->embedder, saved.embedder);
  EXPECT_EQ(loaded->choice.at.threshold, 0.93);
  EXPECT_EQ(loaded->choice.at.hits, 100);
  EXPECT_EQ(loaded->pairs, 300);
  EXPECT_EQ(loaded->target.alpha, 0.05);

  SimilarityCalibration wrong = saved;
  wrong.choice.at.wrong = 101;
  ASSERT_TRUE(save_similarity(wrong, file));
  EXPECT_THAT(load_similarity(file).error().detail, HasSubstr("does not hold"));
  std::ofstream(file) << "{}";
  EXPECT_THAT(load_similarity(file).error().detail, HasSubstr("lichen cache calibrate"));
  std::filesystem::remove(file);
  EXPECT_EQ(load_similarity(file).error().code, Errc::not_found);
}

}  // namespace
}  // namespace lichen::mechanisms
