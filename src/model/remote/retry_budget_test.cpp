#include "model/remote/retry_budget.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

const Clock::time_point kStart(std::chrono::hours(1));

int taken(RetryBudget& budget, Clock::time_point now) {
  int count = 0;
  while (budget.take(now)) ++count;
  return count;
}

TEST(RetryBudget, AFewAreThereAtOnce) {
  RetryBudget budget(kStart);
  EXPECT_EQ(taken(budget, kStart), 10);
}

TEST(RetryBudget, AFifthOfTheRequestsAndNoMore) {
  RetryBudget budget(kStart);
  taken(budget, kStart);
  for (int i = 0; i < 101; ++i) budget.request();
  EXPECT_EQ(taken(budget, kStart), 20);
}

TEST(RetryBudget, SavingsHaveAnEnd) {
  RetryBudget budget(kStart);
  for (int i = 0; i < 10'000; ++i) budget.request();
  EXPECT_EQ(taken(budget, kStart), 100);
}

TEST(RetryBudget, TimeBringsBackAFew) {
  RetryBudget budget(kStart);
  taken(budget, kStart);
  EXPECT_EQ(taken(budget, kStart + std::chrono::seconds(3)), 3);
  EXPECT_EQ(taken(budget, kStart + std::chrono::hours(2)), 10);
}

}  // namespace
}  // namespace lichen::model
