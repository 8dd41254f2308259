#include "eval/plan_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace lichen::eval {
namespace {

using testing::HasSubstr;

const CalibratedPlan kPlan{
    .plan = "plan", .mechanism = "cascade", .small = "small", .large = "large"};

Outcome outcome(const std::string& plan, std::size_t task, bool right,
                std::vector<ScoredChoice> choices = {}) {
  return {.plan = plan, .task = task, .right = right, .choices = std::move(choices)};
}

std::vector<Outcome> measured() {
  return {outcome("small", 0, true),
          outcome("small", 1, false),
          outcome("small", 2, false),
          outcome("small", 3, false),
          outcome("large", 0, true),
          outcome("large", 1, true),
          outcome("large", 2, false),
          outcome("plan", 0, true, {{"cascade", -0.25, -1}, {"other", 7, 8}}),
          outcome("plan", 1, true, {{"cascade", -3, -1}}),
          outcome("plan", 2, false),
          outcome("plan", 3, false, {{"cascade", -1, -1}})};
}

TEST(ScoredRequests, TakesTheScoreAndTheLossOfSmallAlone) {
  const auto requests = scored_requests(measured(), kPlan);
  ASSERT_TRUE(requests) << requests.error().detail;
  ASSERT_EQ(requests->size(), 3u) << "large alone was not asked the last one";
  EXPECT_EQ((*requests)[0].need, 0.25);
  EXPECT_FALSE((*requests)[0].lost);
  EXPECT_FALSE((*requests)[0].unlike);
  EXPECT_EQ((*requests)[1].need, 3);
  EXPECT_TRUE((*requests)[1].lost) << "whatever the plan itself made of it";
  EXPECT_TRUE(std::isinf((*requests)[2].need));
  EXPECT_FALSE((*requests)[2].lost) << "large is wrong, too";
  EXPECT_TRUE((*requests)[2].unlike) << "two wrong answers may differ";
}

TEST(ScoredRequests, RefusesWhatHasNoOneScore) {
  auto outcomes = measured();
  outcomes[7].choices.push_back({"cascade", -1, -1});
  EXPECT_THAT(scored_requests(outcomes, kPlan).error().detail, HasSubstr("more than one"));
  auto none = kPlan;
  none.mechanism = "route";
  EXPECT_THAT(scored_requests(measured(), none).error().detail, HasSubstr("nothing to calibrate"));
}

TEST(HandoverPoint, CountsWhatLargeAloneHadRight) {
  const auto of = [](std::size_t task, bool right, std::int64_t tokens, std::int64_t by_large) {
    return Outcome{.plan = "p",
                   .task = task,
                   .right = right,
                   .answer_tokens = tokens,
                   .answer_tokens_large = by_large};
  };
  const std::vector<Outcome> large = {of(0, true, 9, 9), of(1, true, 9, 9), of(2, false, 9, 9),
                                      of(3, true, 9, 9)};
  std::vector<Outcome> handover = {of(0, true, 10, 1),
                                   of(1, false, 20, 2),
                                   of(2, false, 5, 5),
                                   {.plan = "p", .task = 3, .error = "upstream"}};
  const auto point = handover_point(handover, large);
  ASSERT_TRUE(point) << point.error().detail;
  EXPECT_EQ(point->losses, 2) << "the second, and the last, which failed";
  EXPECT_EQ(point->tokens, 35);
  EXPECT_EQ(point->by_small, 27);
  handover.erase(handover.begin(), handover.begin() + 3);
  EXPECT_THAT(handover_point(handover, large).error().detail, HasSubstr("upstream"));
}

}  // namespace
}  // namespace lichen::eval
