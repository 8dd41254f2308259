#include "mechanisms/policy/pacing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <utility>

namespace lichen::mechanisms {
namespace {

constexpr double kStart = 1.7e9;  // seconds since 1970

TEST(HourlyBudget, CountsTheLastHour) {
  HourlyBudget budget(10);
  EXPECT_TRUE(budget.open(kStart, 0));
  budget.spend(kStart, 4);
  budget.spend(kStart + 1'800, 5);
  EXPECT_DOUBLE_EQ(budget.spent(kStart + 1'800), 9);
  EXPECT_TRUE(budget.open(kStart + 1'800, 0.5));
  EXPECT_FALSE(budget.open(kStart + 1'800, 1));
  EXPECT_DOUBLE_EQ(budget.spent(kStart + 3'600), 9) << "never less than what was";
  EXPECT_DOUBLE_EQ(budget.spent(kStart + 3'611), 5);
  EXPECT_DOUBLE_EQ(budget.spent(kStart + 9'000), 0);
}

TEST(HourlyBudget, SaysWhenSomeOfItIsFreeAgain) {
  HourlyBudget budget(10);
  EXPECT_EQ(budget.wait(kStart), 0);
  budget.spend(kStart, 10);
  const double wait = budget.wait(kStart + 60);
  EXPECT_NEAR(wait, 3'545, 10);
  EXPECT_FALSE(budget.open(kStart + 60 + wait - 1, 0));
  EXPECT_TRUE(budget.open(kStart + 60 + wait, 0));
}

TEST(HourlyBudget, AClockThatGoesBackGivesNothingBack) {
  HourlyBudget budget(10);
  budget.spend(kStart, 4);
  budget.spend(kStart - 5'000, 4);
  EXPECT_DOUBLE_EQ(budget.spent(kStart), 8);
  budget.pace(kStart, 1, 1);
  const double price = budget.price();
  budget.pace(kStart - 5'000, 0, 1);
  EXPECT_DOUBLE_EQ(budget.price(), price);
}

// Purchases are worth 0 to 1 in turn, and made where they are worth their price.
TEST(HourlyBudget, ThePriceSpreadsItOverTheHour) {
  constexpr double kPerHour = 360;
  HourlyBudget budget(kPerHour);
  std::deque<double> bought;  // times within the last hour
  int total = 0;
  constexpr int kSeconds = 6 * 3'600;
  for (int i = 0; i < kSeconds; ++i) {
    const double now = kStart + i;
    const double worth = std::fmod(i * 0.618034, 1.0);
    const bool buys = worth > budget.price() && budget.open(now, 0);
    if (buys) {
      budget.spend(now, 1);
      bought.push_back(now);
      ++total;
    }
    budget.pace(now, buys ? 1 : 0, 1);
    while (!bought.empty() && bought.front() <= now - 3'600) bought.pop_front();
    ASSERT_LE(bought.size(), kPerHour);
  }
  EXPECT_GT(total, 0.9 * kPerHour * kSeconds / 3'600);
  EXPECT_NEAR(budget.price(), 0.9, 0.1) << "a tenth can be bought, so the best tenth is";
}

TEST(HourlyBudget, AQuietHourIsNotSavedUp) {
  HourlyBudget budget(3'600);
  for (int i = 0; i < 100; ++i) budget.pace(kStart, 1, 1);
  const double price = budget.price();
  budget.pace(kStart + 3'600, 0, 1);
  EXPECT_NEAR(budget.price(), price - 0.05, 1e-12);
}

TEST(TailPrice, RisesWhileMoreThanATwentiethIsSlow) {
  TailPrice tail;
  for (int i = 0; i < 400; ++i) tail.pace(i % 40 == 0);
  EXPECT_LT(tail.price(), 0.06);
  for (int i = 0; i < 400; ++i) tail.pace(i % 4 == 0);
  EXPECT_GT(tail.price(), 1);
  for (int i = 0; i < 10'000; ++i) tail.pace(true);
  EXPECT_EQ(tail.price(), TailPrice::kMost);
}

}  // namespace
}  // namespace lichen::mechanisms
