// Virtual keys for the ledger's tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "ledger/ledger.h"
#include "ledger/test_receipts.h"

namespace lichen::ledger {

constexpr std::chrono::sys_days day(int year, unsigned month, unsigned day) {
  return std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
}

inline Key rich_key() {
  return {.id = "key_1",
          .name = "Zoë's \"laptop\"; --",
          .hash = std::string(64, 'a'),
          .created = std::chrono::system_clock::time_point(
              std::chrono::microseconds(1'769'850'300'250'123)),
          .expires = day(2030, 1, 1),
          .revoked = day(2029, 1, 1),
          .limits = {.plans = {"default", "a\"b"},
                     .requests_per_minute = 60,
                     .tokens_per_minute = 100'000,
                     .requests_at_once = 4,
                     .budget_usd = 12.5,
                     .period = BudgetPeriod::month}};
}

inline void expect_same_key(const Key& a, const Key& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.expires, b.expires);
  EXPECT_EQ(a.revoked, b.revoked);
  EXPECT_EQ(a.limits.plans, b.limits.plans);
  EXPECT_EQ(a.limits.requests_per_minute, b.limits.requests_per_minute);
  EXPECT_EQ(a.limits.tokens_per_minute, b.limits.tokens_per_minute);
  EXPECT_EQ(a.limits.requests_at_once, b.limits.requests_at_once);
  EXPECT_EQ(a.limits.budget_usd, b.limits.budget_usd);
  EXPECT_EQ(a.limits.period, b.limits.period);
}

inline Receipt paid(const std::string& id, const std::string& key, int second, double usd) {
  Receipt receipt = simple_receipt(id, "default", second, {"large"});
  receipt.key = key;
  receipt.steps.front().tokens_out = 5;
  receipt.steps.front().usd = usd;
  return receipt;
}

// What all ledgers do alike.

inline void keeps_keys(Ledger& ledger) {
  ASSERT_TRUE(ledger.put(rich_key()));
  ASSERT_TRUE(ledger.put({.id = "key_2", .name = "b", .hash = "x", .created = day(2031, 1, 1)}));
  Key changed = rich_key();
  changed.limits.budget_usd = 99;
  changed.revoked.reset();  // by somebody who read it before
  ASSERT_TRUE(ledger.put(changed));
  changed.revoked = rich_key().revoked;
  const auto keys = ledger.keys().value();
  ASSERT_EQ(keys.size(), 2u);
  expect_same_key(keys[0], changed);
  expect_same_key(keys[1], {.id = "key_2", .name = "b", .hash = "x", .created = day(2031, 1, 1)});
  changed.limits.requests_at_once = -1;
  EXPECT_EQ(ledger.put(changed).error().code, Errc::bad_request);
}

inline void adds_up_use(Ledger& ledger) {
  ledger.record(paid("r1", "key_1", 100, 0.25));
  ledger.record(paid("r2", "key_1", 200, 0.5));
  ledger.record(paid("r3", "key_2", 200, 8));
  ledger.record(paid("r4", "", 200, 16));
  const std::chrono::system_clock::time_point since(std::chrono::seconds(150));
  const KeyUse all = ledger.used("key_1", {}).value();
  EXPECT_EQ(all.requests, 2);
  EXPECT_EQ(all.tokens, 30);
  EXPECT_DOUBLE_EQ(all.usd, 0.75);
  const KeyUse late = ledger.used("key_1", since).value();
  EXPECT_EQ(late.requests, 1);
  EXPECT_DOUBLE_EQ(late.usd, 0.5);
  EXPECT_EQ(ledger.used("key_3", {}).value().requests, 0);
  EXPECT_EQ(ledger.find("r1").value().key, "key_1");
}

}  // namespace lichen::ledger
