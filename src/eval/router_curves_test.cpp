#include "eval/router_curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

namespace lichen::eval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Baselines kBaselines{.large = {"large"}, .small_alone = "small", .large_alone = "large"};

/// Small is right on the first of four tasks, large on all; prompts grow longer.
class RouterCurvesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t task = 0; task < 4; ++task) {
      suite_.tasks.push_back({.prompt = std::string(10 + task, 'x'), .reference = "r"});
      add("small", task, task == 0);
      add("large", task, true).asked_large = true;
    }
  }
  Outcome& add(const std::string& plan, std::size_t task, bool right) {
    Outcome outcome{.plan = plan, .task = task, .right = right};
    outcome.models = {plan == "large" ? "large" : "small"};
    outcomes_.push_back(std::move(outcome));
    return outcomes_.back();
  }
  Outcome& routed(std::size_t task, double score) {
    const bool to_large = score < 0.5;
    Outcome& outcome = add("route", task, to_large || task == 0);
    outcome.asked_large = to_large;
    outcome.models = {to_large ? "large" : "small"};
    outcome.choices = {{.mechanism = "route", .score = score, .threshold = 0.5}};
    return outcome;
  }
  std::vector<RouterCurves> curves() const {
    return router_curves(suite_, {"small", "large", "route"}, kBaselines, outcomes_);
  }

  Suite suite_{.name = "s", .tasks = {}};
  std::vector<Outcome> outcomes_;
};

TEST_F(RouterCurvesTest, ReplaysEveryThresholdBesideThreeOthers) {
  routed(0, 0.9), routed(1, 0.8), routed(2, 0.2), routed(3, 0.1);
  const auto all = curves();
  ASSERT_THAT(all, SizeIs(1));
  const RouterCurves& router = all[0];
  EXPECT_EQ(router.plan, "route");
  EXPECT_EQ(router.mechanism, "route");
  EXPECT_EQ(router.threshold, 0.5);
  EXPECT_EQ(router.small_quality, 0.25);
  EXPECT_EQ(router.large_quality, 1);
  EXPECT_EQ(router.measured, (CurvePoint{0.5, 0.75}));
  EXPECT_DOUBLE_EQ(router.recovered.value_or(-1), 2.0 / 3);
  EXPECT_EQ(router.risk, 0.25) << "task 1, which large alone gets right";
  EXPECT_EQ(router.auroc, 1);
  EXPECT_EQ(router.note, "");
  ASSERT_THAT(router.curves, SizeIs(4));
  EXPECT_EQ(router.curves[0].name, "route");
  EXPECT_THAT(router.curves[0].points,
              ElementsAre(CurvePoint{0, 0.25}, CurvePoint{0.25, 0.5}, CurvePoint{0.5, 0.75},
                          CurvePoint{0.75, 1}, CurvePoint{1, 1}));
  EXPECT_EQ(router.curves[1].name, "length");
  EXPECT_EQ(router.curves[1].points, router.curves[0].points) << "the longest first, likewise";
  EXPECT_EQ(router.curves[2].name, "random");
  EXPECT_THAT(router.curves[2].points, ElementsAre(CurvePoint{0, 0.25}, CurvePoint{1, 1}));
  EXPECT_DOUBLE_EQ(router.curves[2].figures.value_or(CurveFigures{}).apgr, 0.5);
  EXPECT_EQ(router.curves[3].name, "oracle");
  EXPECT_DOUBLE_EQ(router.curves[3].figures.value_or(CurveFigures{}).apgr, 0.625);
}

TEST_F(RouterCurvesTest, WithoutAGapThereAreNoFigures) {
  for (Outcome& outcome : outcomes_) outcome.right = outcome.task < 2;
  routed(0, 0.9), routed(1, 0.8), routed(2, 0.2), routed(3, 0.1);
  const auto all = curves();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].recovered, std::nullopt);
  EXPECT_FALSE(all[0].curves[0].figures);
  EXPECT_THAT(all[0].note, testing::HasSubstr("large alone (50.0 %) is not better than small alone "
                                              "(50.0 %)"));
  const auto json = to_json(all[0]);
  EXPECT_TRUE(json.at("pgr").is_null());
  EXPECT_TRUE(json.at("curves").as_array().at(0).at("apgr").is_null());
}

TEST_F(RouterCurvesTest, ARequestWithoutScoreGoesToLargeFirst) {
  routed(0, 0.9), routed(1, 0.8), routed(2, 0.2);
  routed(3, 0.1).choices.clear();  // small said nothing, say
  const auto all = curves();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].curves[0].points[1], (CurvePoint{0.25, 0.5}));
}

TEST_F(RouterCurvesTest, AThresholdThatChangesIsNone) {
  routed(0, 0.9), routed(1, 0.8), routed(2, 0.2);
  routed(3, 0.1).choices[0].threshold = 0.25;
  const auto all = curves();
  ASSERT_THAT(all, SizeIs(1)) << "the scores are as good as before";
  EXPECT_EQ(all[0].threshold, std::nullopt);
}

TEST_F(RouterCurvesTest, NoneWhereReplayWouldNotBeTrue) {
  routed(0, 0.9), routed(1, 0.8), routed(2, 0.2), routed(3, 0.1);
  const auto good = outcomes_;
  outcomes_.back().models = {"other"};
  EXPECT_THAT(curves(), IsEmpty()) << "a third model answered";
  outcomes_ = good;
  outcomes_.back().choices.push_back(outcomes_.back().choices[0]);
  EXPECT_THAT(curves(), IsEmpty()) << "two choices in one request";
  outcomes_ = good;
  outcomes_.back().choices[0].mechanism = "cascade";
  EXPECT_THAT(curves(), IsEmpty()) << "now this, now that";
  outcomes_ = good;
  outcomes_.back().choices.clear();
  outcomes_.back().asked_large = false;
  EXPECT_THAT(curves(), IsEmpty()) << "small answered, and no score says why";
  outcomes_ = good;
  std::erase_if(outcomes_, [](const Outcome& outcome) { return outcome.plan == "large"; });
  EXPECT_THAT(curves(), IsEmpty()) << "large alone was not measured";
}

}  // namespace
}  // namespace lichen::eval
