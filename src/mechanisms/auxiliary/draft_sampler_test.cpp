#include "mechanisms/auxiliary/draft_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace lichen::mechanisms {
namespace {

std::vector<float> logits_of(std::vector<double> probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

Sampling at(float temperature) {
  Sampling sampling;
  sampling.temperature = temperature;
  sampling.seed = 11;
  return sampling;
}

TEST(DraftSampler, TakesTheLikeliestWhenCold) {
  DraftSampler sampler(at(0), nullptr);
  EXPECT_EQ(sampler.sample(logits_of({0.2, 0.7, 0.1})).value(), 1);
  const auto guess = sampler.take();
  ASSERT_TRUE(guess);
  EXPECT_EQ(guess->token, 1);
  EXPECT_NEAR(guess->confidence, 0.7, 1e-5);
  EXPECT_TRUE(guess->odds.empty()) << "it was not drawn";
  EXPECT_FALSE(sampler.take());
}

TEST(DraftSampler, DrawsAsOftenAsItsOddsSay) {
  DraftSampler sampler(at(0.5F), nullptr);
  const auto logits = logits_of({0.2, 0.5, 0.3});
  std::map<Token, int> drawn;
  constexpr int kDraws = 4'000;
  std::vector<TokenOdds> odds;
  for (int i = 0; i < kDraws; ++i) {
    ++drawn[sampler.sample(logits).value()];
    odds = sampler.take()->odds;
  }
  const double sum = 0.04 + 0.25 + 0.09;  // p^(1/T)
  for (const TokenOdds& each : odds) {
    const double expected =
        std::vector{0.04, 0.25, 0.09}[static_cast<std::size_t>(each.token)] / sum;
    EXPECT_NEAR(static_cast<double>(each.probability), expected, 1e-4);
    EXPECT_NEAR(drawn[each.token], kDraws * expected, 5 * std::sqrt(kDraws * expected));
  }
}

TEST(DraftSampler, FiltersAsTheTargetDoes) {
  Sampling sampling = at(1);
  sampling.top_k = 2;
  DraftSampler by_k(sampling, nullptr);
  ASSERT_TRUE(by_k.sample(logits_of({0.2, 0.4, 0.3, 0.1})));
  EXPECT_EQ(by_k.take()->odds.size(), 2U);
  sampling = at(1);
  sampling.top_p = 0.65F;
  DraftSampler by_p(sampling, nullptr);
  ASSERT_TRUE(by_p.sample(logits_of({0.2, 0.4, 0.3, 0.1})));
  EXPECT_EQ(by_p.take()->odds.size(), 2U);
  sampling = at(1);
  sampling.min_p = 0.45F;
  DraftSampler by_min(sampling, nullptr);
  ASSERT_TRUE(by_min.sample(logits_of({0.2, 0.4, 0.3, 0.1})));
  EXPECT_EQ(by_min.take()->odds.size(), 3U);
}

/// A target that takes whatever draft it is told of.
class Obliging : public Sampler {
 public:
  Result<Token> sample(std::span<const float>) override { return 99; }
  Result<Token> sample(std::span<const float>, const Draft& draft) override { return draft.token; }
};

TEST(DraftCheck, TellsTheTargetOfEachRowsDraft) {
  Obliging target;
  const std::vector<Guess> guesses = {{.token = 4}, {.token = 7}};
  DraftCheck check(target, guesses);
  EXPECT_EQ(check.sample({}).value(), 4);
  EXPECT_EQ(check.sample({}).value(), 7);
  EXPECT_EQ(check.sample({}).value(), 99) << "behind the last one it is on its own";
}

}  // namespace
}  // namespace lichen::mechanisms
