#include "ledger/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "ledger/ledger.h"
#include "ledger/test_keys.h"

namespace lichen::ledger {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

TEST(BudgetPeriodTest, BeginsAndEndsWithTheCalendar) {
  const system_clock::time_point noon = day(2026, 12, 30) + hours(12);  // a Wednesday
  EXPECT_EQ(period_begin(BudgetPeriod::total, noon), system_clock::time_point());
  EXPECT_EQ(period_end(BudgetPeriod::total, noon), std::nullopt);
  EXPECT_EQ(period_begin(BudgetPeriod::day, noon), day(2026, 12, 30));
  EXPECT_EQ(period_end(BudgetPeriod::day, noon), day(2026, 12, 31));
  EXPECT_EQ(period_begin(BudgetPeriod::week, noon), day(2026, 12, 28));
  EXPECT_EQ(period_end(BudgetPeriod::week, noon), day(2027, 1, 4));
  EXPECT_EQ(period_begin(BudgetPeriod::month, noon), day(2026, 12, 1));
  EXPECT_EQ(period_end(BudgetPeriod::month, noon), day(2027, 1, 1));
}

TEST(BudgetPeriodTest, ItsFirstMomentIsItsOwn) {
  EXPECT_EQ(period_begin(BudgetPeriod::week, day(2026, 12, 28)), day(2026, 12, 28));
  EXPECT_EQ(period_begin(BudgetPeriod::month, day(2026, 12, 1)), day(2026, 12, 1));
}

TEST(BudgetPeriodTest, HasNamesBothWays) {
  for (const auto name : {"total", "day", "week", "month"}) {
    ASSERT_TRUE(budget_period(name)) << name;
    EXPECT_EQ(to_string(*budget_period(name)), name);
  }
  EXPECT_EQ(budget_period("year"), std::nullopt);
}

TEST(KeyLimitsTest, NumbersOutOfRangeAreNamed) {
  const auto refused = [](const KeyLimits& limits) { return check(limits).error().detail; };
  EXPECT_TRUE(check(KeyLimits{}));
  EXPECT_TRUE(check(KeyLimits{.plans = {"a"}, .requests_per_minute = 1, .budget_usd = 0.0}));
  EXPECT_THAT(refused({.requests_per_minute = 0}), testing::HasSubstr("requests_per_minute"));
  EXPECT_THAT(refused({.tokens_per_minute = -1}), testing::HasSubstr("tokens_per_minute"));
  EXPECT_THAT(refused({.requests_at_once = 0}), testing::HasSubstr("requests_at_once"));
  EXPECT_THAT(refused({.budget_usd = -0.01}), testing::HasSubstr("budget_usd"));
  EXPECT_THAT(refused({.budget_usd = std::numeric_limits<double>::quiet_NaN()}),
              testing::HasSubstr("budget_usd"));
  EXPECT_THAT(refused({.plans = {"a", ""}}), testing::HasSubstr("plans"));
}

TEST(MemoryLedger, KeepsKeys) { keeps_keys(*Ledger::in_memory()); }

TEST(MemoryLedger, AddsUpUse) { adds_up_use(*Ledger::in_memory()); }

}  // namespace
}  // namespace lichen::ledger
