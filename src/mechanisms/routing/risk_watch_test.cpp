// The watch as a cascade has it; trained_router_test.cpp has it in a route.
#include "mechanisms/routing/risk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/cascade.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr int kRequests = 100;

class RiskWatchTest : public testing::Test {
 protected:
  RiskWatchTest() {
    options_.answerers = {{"small", says("small")}, {"large", says("large")}};
    options_.choices = {{"confidence", "mean"}, {"calibration", path_}};
    options_.maps = {{"risk", {0.1, 0.1}}, {"shadow", {0.999999, 0.05}}};
  }
  ~RiskWatchTest() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(alarm_record(path_));
  }

  static AnswererPtr says(const std::string& text, float logprob = -0.01F) {
    return std::make_shared<ScriptedModel>("m",
                                           std::vector<Script>{{.text = text, .logprob = logprob}});
  }
  Result<AnswererPtr> cascade() {
    EXPECT_TRUE(save_plan_calibration(calibration_, path_));
    options_.metrics.clear();
    return build_cascade(options_);
  }
  std::string error() {
    const auto plan = cascade();
    return plan ? "" : plan.error().detail;
  }
  /// Asks again and again, with what is left for later done each time; brings back how often small
  /// has answered.
  int by_small(Answerer& plan) {
    int count = 0;
    for (int i = 0; i < kRequests; ++i) {
      Turn turn("plan");
      EXPECT_TRUE(run(plan.answer({.messages = {{"user", "well?"}}}, turn)));
      decision_ = turn.receipt.decisions.at(0);
      count += decision_.choice == "small";
      EXPECT_EQ(turn.later.size(), decision_.choice == "small" ? 1U : 0U);
      for (const Turn::Later& work : turn.later) {
        Turn background("plan");
        EXPECT_TRUE(run(work(background)));
        EXPECT_EQ(background.receipt.steps.at(0).role, "shadow");
      }
    }
    return count;
  }

  const std::string path_ =
      testing::TempDir() + "risk_watch_test_" + std::to_string(getpid()) + ".calibration";
  PlanCalibration calibration_{
      .valid_for = {{"confidence", "mean"}},
      .counts = {.n = 100, .data_hash = "abc", .grid = {{0.5, 50, 1, 2}, {1, 100, 50, 60}}}};
  ScriptedOptions options_;
  Decision decision_;
};

TEST_F(RiskWatchTest, AnAlarmSendsEverythingToLarge) {
  const auto plan = cascade();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(options_.metric("lichen_drift_alarm"), 0);
  const int before = by_small(**plan);
  EXPECT_GT(before, 1);
  EXPECT_LT(before, 20) << "small says something else than large each time";
  EXPECT_EQ(decision_.reason, RiskWatch::kAlarm);
  EXPECT_FALSE(decision_.score) << "small is not asked any more";
  EXPECT_EQ(options_.metric("lichen_drift_alarm"), 1);
  EXPECT_EQ(options_.metric("lichen_drift_looked_at_total", path_), before);
  EXPECT_EQ(options_.metric("lichen_drift_losses_total", path_), before);

  EXPECT_EQ(by_small(**cascade()), 0) << "also in another process";
  calibration_.counts.data_hash = "def";
  EXPECT_GT(by_small(**cascade()), 1) << "until there is a new calibration";
}

TEST_F(RiskWatchTest, NoAlarmWhereNoMoreIsLostThanPromised) {
  options_.answerers["large"] = says("Small");
  const auto plan = cascade();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(by_small(**plan), kRequests);
  EXPECT_EQ(options_.metric("lichen_drift_looked_at_total"), kRequests);
  EXPECT_EQ(options_.metric("lichen_drift_losses_total"), 0);
}

TEST_F(RiskWatchTest, WhatLargeAnswersIsNotLost) {
  for (const char* hedge : {"never", "always"}) {
    options_.answerers["small"] = says("small", -5);
    options_.choices["hedge"] = hedge;
    calibration_.valid_for["hedge"] = hedge;  // the plan loader would leave it out
    const auto plan = cascade();
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(by_small(**plan), 0);
    EXPECT_EQ(options_.metric("lichen_drift_looked_at_total"), kRequests) << hedge;
    EXPECT_EQ(options_.metric("lichen_drift_losses_total"), 0);
  }
}

TEST_F(RiskWatchTest, AJudgeHoldsTheRiskItself) {
  options_.answerers["judge"] = says("no");
  const auto plan = cascade();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(by_small(**plan), kRequests) << "large is wrong, too";
}

TEST_F(RiskWatchTest, NothingIsWatchedWhereLargeHasToAnswerEverything) {
  calibration_.counts = {.n = 10, .data_hash = "abc", .grid = {{0.5, 5, 0, 0}}};
  const auto plan = cascade();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(by_small(**plan), 0);
  EXPECT_TRUE(options_.metrics.empty());
}

TEST_F(RiskWatchTest, RefusesWhatCannotWork) {
  options_.maps = {{"shadow", {0.02, 0.05}}};
  options_.choices.erase("calibration");
  EXPECT_THAT(error(), HasSubstr("`shadow` watches over `risk`"));
  options_.maps.clear();
  options_.answerers["judge"] = says("no");
  EXPECT_THAT(error(), HasSubstr("`judge` compares answers for `shadow`"));
  options_.answerers.erase("judge");
  options_.choices["calibration"] = path_;
  options_.maps = {{"risk", {0.1, 0.1}}, {"shadow", {0.02, 0.05}}};
  calibration_.counts.grid = {{0.5, 100, 1, 100}};
  EXPECT_THAT(error(), HasSubstr("of no prompt of the calibration are both answers right"));
}

}  // namespace
}  // namespace lichen::mechanisms
