#include "ledger/server_allowances.h"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "ledger/test_keys.h"
#include "ledger/test_server.h"

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using testing::HasSubstr;

Key key_with(KeyLimits limits) {
  return {.id = "key_1", .name = "n", .hash = "h", .limits = std::move(limits)};
}

/// Of a request with the key, now.
Receipt costing(double usd) {
  static std::atomic<int> count = 0;
  Receipt receipt = paid("rcpt_" + std::to_string(++count), "key_1", 0, usd);
  receipt.started = system_clock::now();
  return receipt;
}

/// A ledger and its allowances, as one gateway has them.
struct Gateway {
  explicit Gateway(const TestServer& server)
      : ledger(
            Ledger::connect(server.database(), {.retry_first = 10ms, .retry_most = 50ms}).value()),
        allowances(ledger->allowances()) {}

  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Allowances> allowances;
};

class ServerAllowancesTest : public ServerTest {
 protected:
  std::int64_t number(const std::string& sql) const {
    auto connection = server_->connect();
    return connection.run(Command(sql)).value()[0].integer(0);
  }
  void wait_for_no_reservation() const {
    const auto deadline = steady_clock::now() + 20s;
    while (number("SELECT count(*) FROM lichen.reservations") > 0) {
      ASSERT_LT(steady_clock::now(), deadline) << "a reservation stays";
      std::this_thread::sleep_for(10ms);
    }
  }
  static system_clock::time_point soon() { return system_clock::now() + 10min; }
};

TEST_F(ServerAllowancesTest, TwoGatewaysNeverPromiseMoreThanTheBudget) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.budget_usd = 1.0, .period = BudgetPeriod::day});
  std::mutex mutex;
  std::vector<std::pair<Gateway*, Reservation>> granted;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, gateway = t % 2 == 0 ? &a : &b] {
        while (true) {
          auto reserved = gateway->allowances->reserve(key, {.tokens = 5, .usd = 0.03}, soon());
          if (!reserved) {
            EXPECT_EQ(reserved.error().code, Errc::budget_exceeded) << reserved.error().detail;
            return;
          }
          std::lock_guard lock(mutex);
          granted.emplace_back(gateway, *std::move(reserved));
        }
      });
    }
  }
  EXPECT_EQ(granted.size(), 33u);
  EXPECT_EQ(a.allowances->spent(key).value(), 0);
  // They cost less than was claimed, and what is left is there for others once receipts say so.
  for (auto& [gateway, reservation] : granted) {
    gateway->ledger->record(costing(0.01));
    gateway->allowances->settle(reservation, {.requests = 1, .tokens = 15, .usd = 0.01});
  }
  wait_for_no_reservation();
  EXPECT_DOUBLE_EQ(a.allowances->spent(key).value(), 0.33);
  EXPECT_TRUE(b.allowances->reserve(key, {.usd = 0.67}, soon()));
  EXPECT_FALSE(a.allowances->reserve(key, {.usd = 0.001}, soon()));
}

TEST_F(ServerAllowancesTest, NeverIsMoreSpentThanTheBudgetHoweverManyAsk) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.budget_usd = 0.5});
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, gateway = t % 2 == 0 ? &a : &b] {
        const auto deadline = steady_clock::now() + 60s;
        while (gateway->allowances->spent(key).value_or(0) < 0.48 &&
               steady_clock::now() < deadline) {
          const auto reserved = gateway->allowances->reserve(key, {.usd = 0.02}, soon());
          if (!reserved) {
            std::this_thread::sleep_for(2ms);
            continue;
          }
          gateway->ledger->record(costing(0.01));
          gateway->allowances->settle(*reserved, {.requests = 1, .tokens = 15, .usd = 0.01});
          ++answered;
        }
      });
    }
  }
  wait_for_no_reservation();
  const double used = a.ledger->used("key_1", {}).value().usd;
  EXPECT_NEAR(used, 0.01 * answered, 1e-9);
  EXPECT_LE(used, 0.5 + 1e-9);
  EXPECT_GE(used, 0.48 - 1e-9);
  EXPECT_NEAR(b.allowances->spent(key).value(), used, 1e-9) << "nothing drifts";
}

TEST_F(ServerAllowancesTest, WhatAGoneGatewayReservedComesBack) {
  Gateway a(*server_);
  const Key key = key_with({.requests_at_once = 1, .budget_usd = 1.0});
  {
    Gateway gone(*server_);
    ASSERT_TRUE(gone.allowances->reserve(key, {.usd = 1.0}, system_clock::now() + 300ms));
  }
  EXPECT_EQ(a.allowances->reserve(key, {.usd = 0.5}, soon()).error().code, Errc::rate_limited);
  std::this_thread::sleep_for(350ms);
  const auto reserved = a.allowances->reserve(key, {.usd = 0.5}, soon());
  EXPECT_TRUE(reserved) << reserved.error().detail;
}

TEST_F(ServerAllowancesTest, RequestsAtOnceAreCountedOverAll) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.requests_at_once = 2});
  const auto first = a.allowances->reserve(key, {}, soon());
  ASSERT_TRUE(first);
  ASSERT_TRUE(b.allowances->reserve(key, {}, soon()));
  const auto third = b.allowances->reserve(key, {}, soon());
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::rate_limited);
  EXPECT_THAT(third.error().detail, HasSubstr("2 requests at once"));
  a.allowances->settle(*first, {});
  const auto deadline = steady_clock::now() + 20s;
  while (!b.allowances->reserve(key, {}, soon()) && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_LT(steady_clock::now(), deadline);
}

TEST_F(ServerAllowancesTest, RatesAreSharedAndFillAgain) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.requests_per_minute = 3});
  for (Gateway* gateway : {&a, &b, &a}) {
    ASSERT_TRUE(gateway->allowances->reserve(key, {}, soon()));
  }
  const auto fourth = b.allowances->reserve(key, {}, soon());
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Errc::rate_limited);
  EXPECT_GT(fourth.error().retry_after_s.value(), 10);
  EXPECT_LE(fourth.error().retry_after_s.value(), 20);
  // A third of a minute later there is one more.
  auto connection = server_->connect();
  ASSERT_TRUE(connection.script("UPDATE lichen.accounts SET filled = filled - interval '20 s'"));
  EXPECT_TRUE(b.allowances->reserve(key, {}, soon()));
  EXPECT_FALSE(a.allowances->reserve(key, {}, soon()));
}

TEST_F(ServerAllowancesTest, TokensThatWereNotUsedAreGivenBack) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.tokens_per_minute = 1'000});
  const auto first = a.allowances->reserve(key, {.tokens = 900}, soon());
  ASSERT_TRUE(first);
  const auto second = b.allowances->reserve(key, {.tokens = 900}, soon());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr("1000 tokens a minute"));
  a.allowances->settle(*first, {.requests = 1, .tokens = 50});
  wait_for_no_reservation();
  EXPECT_TRUE(b.allowances->reserve(key, {.tokens = 900}, soon()));
  EXPECT_FALSE(b.allowances->reserve(key, {.tokens = 5'000}, soon())) << "a minute's worth at most";
}

TEST_F(ServerAllowancesTest, ABudgetBeginsAnewWithItsPeriod) {
  Gateway a(*server_);
  Receipt old = costing(0.75);
  old.started -= std::chrono::days(40);
  a.ledger->record(old);
  a.ledger->record(costing(0.125));
  ASSERT_TRUE(a.ledger->flush());
  for (const BudgetPeriod period : {BudgetPeriod::day, BudgetPeriod::week, BudgetPeriod::month}) {
    const Key key = key_with({.budget_usd = 0.5, .period = period});
    EXPECT_EQ(a.allowances->spent(key).value(), 0.125) << to_string(period);
  }
  const Key key = key_with({.budget_usd = 0.5});
  EXPECT_EQ(a.allowances->spent(key).value(), 0.875);
  EXPECT_EQ(a.allowances->reserve(key, {}, soon()).error().code, Errc::budget_exceeded);
}

TEST_F(ServerAllowancesTest, SpendingIsThatOfReceiptsOnceAndForAll) {
  Gateway a(*server_), b(*server_);
  const Key key = key_with({.budget_usd = 1.0});
  for (int i = 0; i < 10; ++i) {
    const Receipt receipt = costing(0.1);
    a.ledger->record(receipt);
    b.ledger->record(receipt);  // as if its commit had been in doubt
  }
  Receipt refused = costing(0.1);
  refused.total_ms = std::numeric_limits<double>::quiet_NaN();
  a.ledger->record(refused);
  ASSERT_TRUE(a.ledger->flush());
  ASSERT_TRUE(b.ledger->flush());
  EXPECT_EQ(number("SELECT (sum(usd) * 1000000)::bigint FROM lichen.spending"), 1'000'000);
  auto connection = server_->connect();
  ASSERT_TRUE(connection.script("DELETE FROM lichen.receipts"));
  EXPECT_EQ(a.allowances->spent(key).value(), 1.0) << "forgetting receipts gives nothing back";
}

TEST_F(ServerAllowancesTest, WithoutTheServerNothingIsGrantedAndNothingForgotten) {
  Gateway a(*server_);
  const Key key = key_with({.budget_usd = 1.0});
  const auto reserved = a.allowances->reserve(key, {.usd = 0.75}, soon());
  ASSERT_TRUE(reserved);
  server_->kill();
  EXPECT_EQ(a.allowances->reserve(key, {.usd = 0.1}, soon()).error().code, Errc::storage);
  EXPECT_TRUE(a.allowances->blocks(key));
  const Key free = key_with({});
  EXPECT_FALSE(a.allowances->blocks(free));
  EXPECT_TRUE(a.allowances->reserve(free, {.usd = 99}, soon())) << "asks nobody";
  a.ledger->record(costing(0.25));
  const auto begin = steady_clock::now();
  a.allowances->settle(*reserved, {.requests = 1, .tokens = 15, .usd = 0.25});
  EXPECT_LT(steady_clock::now() - begin, 100ms);
  server_->start();
  wait_for_no_reservation();
  ASSERT_TRUE(a.ledger->flush());  // the reservation may have been lost, its receipt is not
  Result<double> spent = a.allowances->spent(key);
  // A server that was gone just now is not asked.
  for (int tries = 0; !spent && tries < 400; ++tries) {
    std::this_thread::sleep_for(50ms);
    spent = a.allowances->spent(key);
  }
  EXPECT_EQ(spent, 0.25);
}

TEST_F(ServerAllowancesTest, AServerThatHangsIsNotWaitedForByOneAfterTheOther) {
  LedgerOptions options{.retry_first = 10ms, .retry_most = 50ms};
  options.server_timeout = 300ms;
  const auto ledger = Ledger::connect(server_->database(), options).value();
  const auto allowances = ledger->allowances();
  const Key key = key_with({.budget_usd = 1.0});
  ASSERT_TRUE(allowances->reserve(key, {}, soon()));
  server_->suspend();
  const auto begin = steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(allowances->reserve(key, {}, soon()).error().code, Errc::storage);
  }
  EXPECT_LT(steady_clock::now() - begin, 2s) << "ten times 300 ms";
  server_->resume();
}

TEST_F(ServerAllowancesTest, OfAFileTheyAreThisProcessesOwn) {
  const auto memory = Ledger::in_memory();
  EXPECT_TRUE(memory->allowances()->reserve(key_with({.budget_usd = 1.0}), {.usd = 1}, soon()));
}

}  // namespace
}  // namespace lichen::ledger
