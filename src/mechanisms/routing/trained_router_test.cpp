#include "mechanisms/routing/trained_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "mechanisms/routing/risk.h"
#include "mechanisms/routing/route.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class TrainedRouterTest : public testing::Test {
 protected:
  TrainedRouterTest() {
    std::vector<Example> examples;
    for (int i = 0; i < 60; ++i) {
      const bool hard = i % 2 == 0;
      examples.push_back({.prompt = (hard ? "prove lemma " : "add one to ") + std::to_string(i),
                          .small_right = !hard,
                          .large_right = hard});
    }
    file_ = *train_router(examples, {.features = {.hash_bits = 8}});
    options_.answerers = {{"small", model("small")}, {"large", model("large")}};
    options_.choices = {{"by", "linear"}, {"router", path_}};
  }
  ~TrainedRouterTest() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".drift");
  }

  static AnswererPtr model(const std::string& name) {
    return std::make_shared<ScriptedModel>(name, std::vector<Script>{{.text = name}});
  }
  Result<AnswererPtr> route() {
    EXPECT_TRUE(save_router_file(file_, path_));
    return build_route(options_);
  }
  Decision decision(const std::string& prompt) {
    Turn turn("plan");
    const auto plan = route();
    EXPECT_TRUE(plan) << plan.error().detail;
    if (!plan) return {};
    EXPECT_TRUE(run((*plan)->answer({.messages = {{"user", prompt}}}, turn)));
    return turn.receipt.decisions.at(0);
  }
  std::string error() {
    const auto plan = route();
    return plan ? "" : plan.error().detail;
  }

  const std::string path_ =
      testing::TempDir() + "trained_router_test_" + std::to_string(getpid()) + ".router";
  RouterFile file_;
  ScriptedOptions options_;
};

TEST_F(TrainedRouterTest, ChoosesByItsScore) {
  options_.numbers = {{"threshold", 0.5}};
  const Decision hard = decision("prove lemma 7"), easy = decision("add one to 7");
  EXPECT_EQ(hard.choice, "large");
  EXPECT_EQ(easy.choice, "small");
  EXPECT_EQ(hard.threshold, 0.5);
  EXPECT_LT(hard.score, easy.score) << "the larger, the surer of small";
  EXPECT_THAT(hard.reason, HasSubstr("linear"));
}

TEST_F(TrainedRouterTest, RiskTakesTheCalibratedThreshold) {
  options_.maps = {{"risk", {0.05, 0.1}}};
  file_.calibration =
      Calibration{.n = 100, .grid = {{0.25, 10, 0, 0}, {0.5, 50, 1, 1}, {1, 100, 50, 50}}};
  EXPECT_EQ(decision("add one to 7").threshold, 0.5);
  EXPECT_EQ(decision("add one to 7").choice, "small");
  EXPECT_EQ(decision("prove lemma 7").choice, "large");
}

TEST_F(TrainedRouterTest, RiskWithoutEnoughDataMeansLarge) {
  options_.maps = {{"risk", {0.05, 0.1}}};
  EXPECT_EQ(decision("add one to 7").choice, "large") << "not calibrated";
  file_.calibration = Calibration{.n = 44, .grid = {{0.5, 20, 0}}};
  EXPECT_EQ(decision("add one to 7").choice, "large") << "it takes 45";
}

TEST_F(TrainedRouterTest, ADriftAlarmSendsEverythingToLarge) {
  options_.maps = {{"risk", {0.1, 0.1}}, {"shadow", {0.999999, 0.05}}};
  file_.calibration =
      Calibration{.n = 100, .data_hash = "abc", .grid = {{0.5, 50, 1, 2}, {1, 100, 50, 60}}};
  const auto plan = route();
  ASSERT_TRUE(plan) << plan.error().detail;
  int by_small = 0;
  for (int i = 0; i < 100; ++i) {
    Turn turn("plan");
    ASSERT_TRUE(run((*plan)->answer({.messages = {{"user", "add one to 7"}}}, turn)));
    const bool small = turn.receipt.decisions.at(0).choice == "small";
    by_small += small;
    ASSERT_EQ(turn.later.size(), small ? 1u : 0u);
    if (!small) {
      EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("drift alarm"));
      EXPECT_FALSE(turn.receipt.decisions.at(0).score) << "no threshold decides now";
    }
    for (const Turn::Later& work : turn.later) {
      Turn background("plan");
      EXPECT_TRUE(run(work(background)));
    }
  }
  EXPECT_GT(by_small, 1);
  EXPECT_LT(by_small, 20) << "small says something else than large each time";
  EXPECT_EQ(decision("add one to 7").choice, "large") << "also in another process";
  file_.calibration->data_hash = "def";
  EXPECT_EQ(decision("add one to 7").choice, "small") << "until it is calibrated anew";
}

TEST_F(TrainedRouterTest, AlarmsOnlyWhereMoreIsLostThanPromised) {
  options_.maps = {{"risk", {0.1, 0.1}}, {"shadow", {0.999999, 0.05}}};
  options_.answerers["large"] = model("small");  // says the same
  file_.calibration = Calibration{.n = 100, .data_hash = "abc", .grid = {{0.5, 50, 1, 2}}};
  const auto plan = route();
  ASSERT_TRUE(plan) << plan.error().detail;
  for (int i = 0; i < 100; ++i) {
    Turn turn("plan");
    ASSERT_TRUE(run((*plan)->answer({.messages = {{"user", "add one to 7"}}}, turn)));
    ASSERT_EQ(turn.receipt.decisions.at(0).choice, "small");
    for (const Turn::Later& work : turn.later) EXPECT_TRUE(run(work(turn)));
  }
}

TEST_F(TrainedRouterTest, ShadowNeedsABoundToWatch) {
  options_.numbers = {{"threshold", 0.5}};
  options_.maps = {{"shadow", {0.02, 0.05}}};
  EXPECT_THAT(error(), HasSubstr("`shadow` watches over `risk`"));
  options_.maps.clear();
  options_.choices["judge"] = "large";
  EXPECT_THAT(error(), HasSubstr("`judge` compares answers for `shadow`"));
}

TEST_F(TrainedRouterTest, RefusesWhatCannotWork) {
  EXPECT_THAT(error(), HasSubstr("needs `threshold` (0 to 1) or `risk"));
  options_.numbers = {{"threshold", 0.5}};
  options_.maps = {{"risk", {0.05, 0.1}}};
  EXPECT_THAT(error(), HasSubstr("not both"));
  options_.maps.clear();
  options_.choices.erase("router");
  EXPECT_THAT(error(), HasSubstr("router"));
  options_.choices["router"] = path_ + ".gone";
  EXPECT_THAT(error(), HasSubstr("is not there"));
  options_.choices["router"] = path_;
  std::erase_if(file_.tables, [](const Table& table) { return table.name == "rarity"; });
  EXPECT_THAT(error(), HasSubstr("has no table `rarity`"));
}

}  // namespace
}  // namespace lichen::mechanisms
