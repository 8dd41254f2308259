#include "mechanisms/routing/learned_confidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

/// Tokens of one probability each, with one alternative that has the rest.
std::vector<AnswerToken> tokens(double p, int count) {
  const auto of = static_cast<float>(std::log(p)), rest = static_cast<float>(std::log(1 - p));
  return std::vector<AnswerToken>(
      static_cast<std::size_t>(count),
      {.text = "x", .logprob = of, .top = {{.text = "x", .logprob = of}, {"y", rest}}});
}

/// Small is right where it was sure; large always.
std::vector<JudgedAnswer> answers() {
  std::vector<JudgedAnswer> answers;
  for (int i = 0; i < 60; ++i) {
    const double p = 0.5 + 0.49 * i / 60;
    answers.push_back({.features = answer_features(tokens(p, 3 + i % 5)),
                       .small_right = p > 0.75,
                       .large_right = true});
  }
  return answers;
}

class LearnedConfidenceTest : public testing::Test {
 protected:
  ~LearnedConfidenceTest() override { std::filesystem::remove(path_); }
  const std::string path_ =
      testing::TempDir() + "learned_confidence_test_" + std::to_string(getpid()) + ".confidence";
};

TEST_F(LearnedConfidenceTest, LearnsWhereSmallSuffices) {
  const auto learned = train_confidence(answers());
  ASSERT_TRUE(learned) << learned.error().detail;
  const double unsure = learned->of(answer_features(tokens(0.55, 4)));
  const double sure = learned->of(answer_features(tokens(0.95, 4)));
  EXPECT_LT(unsure, 0.2);
  EXPECT_GT(sure, 0.45) << "at best both are right: half";
  EXPECT_EQ(train_confidence(answers())->of(answer_features(tokens(0.95, 4))), sure);
}

TEST_F(LearnedConfidenceTest, FeaturesAreFiniteOrNone) {
  auto odd = tokens(0.9, 2);
  odd[0].logprob = -INFINITY;
  odd[0].top[1].logprob = -INFINITY;
  for (const double feature : answer_features(odd)) EXPECT_TRUE(std::isfinite(feature));
  odd[1].top.clear();
  const auto none = answer_features(odd);
  for (const double feature : none) EXPECT_TRUE(std::isnan(feature));
  EXPECT_TRUE(std::isnan(train_confidence(answers())->of(none)));
}

TEST_F(LearnedConfidenceTest, RefusesWhatTeachesNothing) {
  auto all = answers();
  all.resize(10);
  EXPECT_THAT(train_confidence(all).error().detail, HasSubstr("10 answers"));
  all = answers();
  for (JudgedAnswer& answer : all) answer.large_right = false;
  EXPECT_FALSE(train_confidence(all));
}

TEST_F(LearnedConfidenceTest, IsKeptInAFileOfItsSmall) {
  auto learned = *train_confidence(answers());
  ScriptedOptions options;
  options.choices = {{"learned", path_}};
  EXPECT_THAT(build_learned(options, nullptr).error().detail, HasSubstr("is not there"));
  ASSERT_TRUE(save_learned(learned, path_));
  const auto features = answer_features(tokens(0.8, 4));
  EXPECT_NEAR(load_learned(path_)->of(features), learned.of(features), 1e-12);
  const auto confidence = build_learned(options, nullptr);
  ASSERT_TRUE(confidence) << confidence.error().detail;
  Turn turn("plan");
  const Request request;
  const Answer answer{.text = "x", .tokens = tokens(0.8, 4)}, bare{.text = "x"};
  EXPECT_NEAR(*run((*confidence)->of(request, answer, turn)), learned.of(features), 1e-12);
  EXPECT_FALSE(run((*confidence)->of(request, bare, turn)));
  EXPECT_EQ((*confidence)->alternatives(), kFeatureAlternatives);

  learned.small = {{"gguf", "aa"}};
  ASSERT_TRUE(save_learned(learned, path_));
  EXPECT_THAT(build_learned(options, nullptr).error().detail, HasSubstr("another small"));
}

}  // namespace
}  // namespace lichen::mechanisms
