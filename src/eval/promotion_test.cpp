#include "eval/promotion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(McnemarP, IsTheTailOfFairCoins) {
  EXPECT_DOUBLE_EQ(mcnemar_p(0, 0), 1);
  EXPECT_NEAR(mcnemar_p(0, 5), 1.0 / 32, 1e-12);
  EXPECT_NEAR(mcnemar_p(5, 0), 1, 1e-12);
  EXPECT_NEAR(mcnemar_p(1, 4), 6.0 / 32, 1e-12) << "4 or 5 heads of 5";
  EXPECT_NEAR(mcnemar_p(100, 100), 0.528, 1e-3);
  EXPECT_LT(mcnemar_p(1'000, 3'000), 1e-100);
}

/// Two families; of each the tasks that both, the old one alone, the new one alone gets right.
class PromotionTest : public testing::Test {
 protected:
  void tasks(const std::string& family, int both, int only_old, int only_new) {
    const auto add = [&](int count, bool old_right, bool new_right) {
      for (int i = 0; i < count; ++i) {
        const std::size_t task = suite_.tasks.size();
        suite_.tasks.push_back({.family = family, .prompt = "?", .reference = "!"});
        outcomes_.push_back({.plan = "old", .task = task, .right = old_right});
        outcomes_.push_back({.plan = "new", .task = task, .right = new_right});
      }
    };
    add(both, true, true);
    add(only_old, true, false);
    add(only_new, false, true);
  }
  Promotion judge(PromotionRule rule = {}) const {
    return judge_promotion(suite_, outcomes_, "old", "new", rule);
  }

  Suite suite_;
  std::vector<Outcome> outcomes_;
};

TEST_F(PromotionTest, WhatIsBetterIsPromoted) {
  tasks("add", 80, 2, 18);
  tasks("sort", 50, 1, 1);
  const Promotion promotion = judge();
  EXPECT_TRUE(promotion.promoted);
  EXPECT_THAT(promotion.reason, StartsWith("better: 98.0 % right against 87.5 %"));
  EXPECT_EQ(promotion.all.n, 152);
  ASSERT_EQ(promotion.families.size(), 2u);
  EXPECT_EQ(promotion.families[0].only_candidate, 18);
}

TEST_F(PromotionTest, ChanceIsNotEnough) {
  tasks("add", 80, 4, 8);
  const Promotion promotion = judge();
  EXPECT_FALSE(promotion.promoted);
  EXPECT_THAT(promotion.reason, StartsWith("not better at the level 0.05"));
  EXPECT_TRUE(judge({.alpha = 0.2}).promoted);
}

TEST_F(PromotionTest, NoFamilyMayLoseMuch) {
  tasks("add", 80, 0, 40);
  tasks("sort", 90, 10, 0);
  const Promotion promotion = judge();
  EXPECT_FALSE(promotion.promoted);
  EXPECT_THAT(promotion.reason, HasSubstr("worse at sort: 90.0 % right against 100.0 %"));
  EXPECT_TRUE(judge({.family_loss = 0.1}).promoted);
}

TEST_F(PromotionTest, OnlyTasksThatBothWereAsked) {
  tasks("add", 3, 0, 1);
  outcomes_.pop_back();
  EXPECT_EQ(judge().all.n, 3);
  EXPECT_FALSE(judge_promotion(suite_, {}, "old", "new", {}).promoted);
}

}  // namespace
}  // namespace lichen::eval
