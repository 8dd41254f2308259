#include "eval/route_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/tasks/random.h"

namespace lichen::eval {
namespace {

/// Large is needed where the prompt says "prove", in nine of ten.
RouteData learnable(int count) {
  RouteData data;
  tasks::Random random(3);
  for (int i = 0; i < count; ++i) {
    const bool hard = random.chance(40);
    const bool surprise = random.chance(10);
    const std::string number = std::to_string(random.below(1'000'000));
    data.examples.push_back({.prompt = (hard ? "prove lemma " : "add one to ") + number,
                             .small_right = hard == surprise,
                             .large_right = true});
    data.subjects.emplace_back(hard ? "hard" : "easy");
  }
  return data;
}

constexpr mechanisms::FeatureOptions kSmall{.hash_bits = 10};

TEST(EvaluateRouter, FindsWhatCanBeLearned) {
  const auto evaluation =
      evaluate_router(learnable(600), {.training = {.features = kSmall}, .folds = 3});
  ASSERT_TRUE(evaluation) << evaluation.error().detail;
  EXPECT_GT(evaluation->router.figures.apgr, 0.65);
  EXPECT_DOUBLE_EQ(evaluation->random.figures.apgr, 0.5);
  EXPECT_GE(evaluation->oracle.figures.apgr, evaluation->router.figures.apgr);
  EXPECT_LT(evaluation->router.apgr.low, evaluation->router.figures.apgr);
  EXPECT_GT(evaluation->router.apgr.high, evaluation->router.figures.apgr);
  EXPECT_EQ(evaluation->apgr_by_fold.size(), 3u);
  const auto json = to_json(*evaluation);
  EXPECT_TRUE(json.at("apgr").is_double());
  EXPECT_DOUBLE_EQ(json.at("floors").at("random").at("cpt50").as_double(), 0.5);
}

TEST(EvaluateRouter, NoFigureOnPureNoise) {
  RouteData data = learnable(1'000);
  tasks::Random random(5);
  for (auto& example : data.examples) example.small_right = random.chance(60);
  const auto evaluation = evaluate_router(data, {.training = {.features = kSmall}, .folds = 3});
  ASSERT_TRUE(evaluation) << evaluation.error().detail;
  EXPECT_NEAR(evaluation->router.figures.apgr, 0.5, 0.06) << "a test part has leaked";
}

TEST(EvaluateRouter, JudgesATrainedRouterOnOtherData) {
  RouteData training = learnable(400);
  training.hash = "a";
  auto file = *mechanisms::train_router(training.examples, {.features = kSmall});
  file.origin.data_hash = "a";
  const auto evaluation = evaluate_trained(learnable(600), file);
  ASSERT_TRUE(evaluation) << evaluation.error().detail;
  EXPECT_GT(evaluation->router.figures.apgr, 0.65);
  EXPECT_EQ(evaluate_trained(training, file).error().code, Errc::bad_request);
}

TEST(EvaluateRouter, RefusesDataWithoutAGap) {
  RouteData data = learnable(100);
  for (auto& example : data.examples) std::swap(example.small_right, example.large_right);
  EXPECT_EQ(evaluate_router(data, {}).error().code, Errc::bad_request);
}

TEST(EvaluateRisk, KeepsItsBound) {
  const auto evaluation = evaluate_risk(learnable(1'200), {.training = {.features = kSmall},
                                                           .target = {.alpha = 0.05, .delta = 0.1},
                                                           .resamples = 200});
  ASSERT_TRUE(evaluation) << evaluation.error().detail;
  EXPECT_LE(evaluation->violation_rate(), 0.16);
  EXPECT_LT(evaluation->mean_large_share, 1) << "small answers some";
  EXPECT_EQ(evaluation->resamples, 200);
}

TEST(EvaluateRisk, TooLittleDataMeansLarge) {
  const auto evaluation = evaluate_risk(learnable(200), {.training = {.features = kSmall},
                                                         .target = {.alpha = 0.05, .delta = 0.1},
                                                         .resamples = 5,
                                                         .calibration = 44});
  ASSERT_TRUE(evaluation) << evaluation.error().detail;
  EXPECT_EQ(evaluation->refused, 5);
  EXPECT_EQ(evaluation->mean_large_share, 1);
  EXPECT_EQ(evaluation->violations, 0);
}

}  // namespace
}  // namespace lichen::eval
