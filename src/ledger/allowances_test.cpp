#include "ledger/allowances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;
using testing::HasSubstr;

/// Of one process, with clocks that the test turns.
class AllowancesTest : public testing::Test {
 protected:
  void pass(std::chrono::milliseconds time) {
    wall_ += time;
    steady_ += time;
  }
  Result<Reservation> reserve(const Key& key, Claim claim = {}, std::chrono::seconds lasts = 600s) {
    return allowances_->reserve(key, claim, wall_ + lasts);
  }
  /// What a request did: as the server does it, the receipt is recorded and then settled.
  void end(const Reservation& reservation, std::int64_t tokens, double usd) {
    static std::atomic<int> number = 0;
    Receipt receipt = simple_receipt("r" + std::to_string(++number), "default", 0, {"large"});
    receipt.key = reservation.key;
    receipt.started = wall_;
    receipt.steps.front().tokens_in = tokens;
    receipt.steps.front().tokens_out = 0;
    receipt.steps.front().usd = usd;
    ledger_->record(receipt);
    allowances_->settle(reservation, {.requests = 1, .tokens = tokens, .usd = usd});
  }
  std::unique_ptr<Allowances> another() {
    return local_allowances(
        *ledger_, {.wall = [this] { return wall_; }, .steady = [this] { return steady_; }});
  }

  const std::unique_ptr<Ledger> ledger_ = Ledger::in_memory();
  system_clock::time_point wall_ = std::chrono::sys_days(std::chrono::January / 31 / 2026) + 12h;
  std::chrono::steady_clock::time_point steady_{1h};
  std::unique_ptr<Allowances> allowances_ = another();
};

Key key_with(KeyLimits limits, std::string id = "key_1") {
  return {.id = std::move(id), .name = "test", .limits = std::move(limits)};
}

TEST_F(AllowancesTest, AKeyWithoutLimitsMayDoAnything) {
  const Key key = key_with({});
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(reserve(key, {.tokens = 1 << 20, .usd = 1e6}));
}

TEST_F(AllowancesTest, RequestsAMinuteComeAsABurstAndThenOneByOne) {
  const Key key = key_with({.requests_per_minute = 6});
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(reserve(key));
  const auto refused = reserve(key);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::rate_limited);
  EXPECT_THAT(refused.error().detail, HasSubstr("6 requests a minute"));
  EXPECT_NEAR(*refused.error().retry_after_s, 10, 1e-9);
  pass(9'999ms);
  EXPECT_FALSE(reserve(key));
  pass(1ms);
  EXPECT_TRUE(reserve(key));
  EXPECT_FALSE(reserve(key));
  pass(1h);  // never more than a minute's worth
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(reserve(key));
  EXPECT_FALSE(reserve(key));
}

TEST_F(AllowancesTest, AJumpOfTheWallClockFillsNothing) {
  const Key key = key_with({.requests_per_minute = 1});
  EXPECT_TRUE(reserve(key));
  wall_ += 24h;
  EXPECT_FALSE(reserve(key));
  wall_ -= 48h;
  EXPECT_FALSE(reserve(key));
}

TEST_F(AllowancesTest, TokensAreClaimedAndSettledByWhatWasUsed) {
  const Key key = key_with({.tokens_per_minute = 1'000});
  const auto first = reserve(key, {.tokens = 600});
  ASSERT_TRUE(first);
  EXPECT_EQ(reserve(key, {.tokens = 600}).error().code, Errc::rate_limited);
  end(*first, 100, 0);
  const auto second = reserve(key, {.tokens = 900});
  ASSERT_TRUE(second);
  end(*second, 2'000, 0);  // more than claimed: owed
  const auto refused = reserve(key, {.tokens = 1});
  ASSERT_FALSE(refused);
  EXPECT_NEAR(*refused.error().retry_after_s, 1'101 * 0.06, 1e-6);
  EXPECT_THAT(refused.error().detail, HasSubstr("1000 tokens a minute"));
}

TEST_F(AllowancesTest, AClaimBeyondAMinutesTokensIsAWholeMinutes) {
  const Key key = key_with({.tokens_per_minute = 1'000});
  EXPECT_TRUE(reserve(key, {.tokens = 50'000}));
  EXPECT_FALSE(reserve(key, {.tokens = 1}));
  pass(60s);
  EXPECT_TRUE(reserve(key, {.tokens = 50'000}));
}

TEST_F(AllowancesTest, RequestsAtOnceAreThoseThatHaveNotEnded) {
  const Key key = key_with({.requests_at_once = 2});
  const auto first = reserve(key);
  ASSERT_TRUE(first);
  ASSERT_TRUE(reserve(key, {}, 60s));
  EXPECT_THAT(reserve(key).error().detail, HasSubstr("2 requests at once"));
  end(*first, 1, 0);
  ASSERT_TRUE(reserve(key));
  EXPECT_FALSE(reserve(key));
  pass(61s);  // one that was never settled
  EXPECT_TRUE(reserve(key));
}

TEST_F(AllowancesTest, ABudgetIsNotPromisedTwice) {
  const Key key = key_with({.budget_usd = 1.0});
  const auto first = reserve(key, {.usd = 0.7});
  ASSERT_TRUE(first);
  const auto second = reserve(key, {.usd = 0.4});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::budget_exceeded);
  EXPECT_THAT(second.error().detail, HasSubstr("$0.30 left"));
  end(*first, 10, 0.1);
  EXPECT_DOUBLE_EQ(allowances_->spent(key).value(), 0.1);
  EXPECT_TRUE(reserve(key, {.usd = 0.4}));
}

TEST_F(AllowancesTest, ASpentBudgetLetsNothingThroughNotEvenWhatCostsNothing) {
  const Key key = key_with({.budget_usd = 1.0});
  const auto first = reserve(key, {.usd = 0.5});
  end(*first, 10, 1.5);
  const auto refused = reserve(key);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("is spent"));
  EXPECT_FALSE(refused.error().retry_after_s);
}

TEST_F(AllowancesTest, EachPeriodHasTheWholeBudget) {
  const Key key = key_with({.budget_usd = 1.0, .period = BudgetPeriod::month});
  end(*reserve(key), 10, 1.0);
  const auto running = reserve(key_with({}), {});
  const auto refused = reserve(key);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("a month is spent until 2026-02-01"));
  EXPECT_NEAR(*refused.error().retry_after_s, 12 * 3'600, 1);
  pass(12h);
  const auto next = reserve(key);
  ASSERT_TRUE(next);
  allowances_->settle(*running, {.requests = 1, .usd = 9});  // of the month before
  EXPECT_DOUBLE_EQ(allowances_->spent(key).value(), 0);
}

TEST_F(AllowancesTest, WhatWasSpentBeforeTheStartCounts) {
  const Key key = key_with({.budget_usd = 1.0, .period = BudgetPeriod::day});
  EXPECT_TRUE(allowances_->blocks(key));  // it will read the ledger
  end(*reserve(key, {.usd = 0.9}), 10, 0.9);
  EXPECT_FALSE(allowances_->blocks(key));
  const auto later = another();
  EXPECT_DOUBLE_EQ(later->spent(key).value(), 0.9);
  EXPECT_EQ(later->reserve(key, {.usd = 0.2}, wall_ + 60s).error().code, Errc::budget_exceeded);
  EXPECT_TRUE(later->reserve(key, {.usd = 0.05}, wall_ + 60s));
}

TEST_F(AllowancesTest, KeysDoNotShare) {
  EXPECT_TRUE(reserve(key_with({.requests_per_minute = 1}, "key_1")));
  EXPECT_TRUE(reserve(key_with({.requests_per_minute = 1}, "key_2")));
}

TEST_F(AllowancesTest, ThreadsTogetherNeverOverspend) {
  const Key key = key_with({.budget_usd = 1.0});
  std::atomic<int> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) granted += reserve(key, {.usd = 0.0625}).has_value() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(granted, 16);
}

}  // namespace
}  // namespace lichen::ledger
