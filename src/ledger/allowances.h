// What keys may still use: limits are claimed from before a request and settled after it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ledger/key.h"
#include "lichen/result.h"

namespace lichen::ledger {

class Ledger;

/// What a request is expected to use at most.
struct Claim {
  std::int64_t tokens = 0;  // of its prompts and answers
  double usd = 0;
};

/// Of what is kept until the request has ended.
struct Reservation {
  std::string id;
  std::string key;
  Claim claim = {};
  std::chrono::system_clock::time_point made = {};
};

/// A key's budget is never promised twice: what running requests have claimed counts as spent.
/// Rates are token buckets that a minute fills, so a burst of a whole minute's worth is let through
/// and then no more than the rate. Safe to use from any thread.
class Allowances {
 public:
  virtual ~Allowances() = default;

  /// Sets the claim aside, until `settle` or at the latest `until`. `rate_limited`, with the time
  /// after which it would be there, where the key makes too many requests, uses too many tokens, or
  /// has too many under way; `budget_exceeded` where its budget does not hold so much. A claim of
  /// more tokens than a minute has counts as a whole minute's.
  virtual Result<Reservation> reserve(const Key& key, const Claim& claim,
                                      std::chrono::system_clock::time_point until) = 0;
  /// Replaces the claim by what was used, which may be more. Never waits.
  virtual void settle(const Reservation& reservation, const KeyUse& used) = 0;
  /// What the budget's present period has spent, running claims not counted.
  virtual Result<double> spent(const Key& key) = 0;
  /// Whether `reserve` would now wait for a disk or another machine.
  virtual bool blocks(const Key& key) = 0;
};

// What `reserve` says no with.

/// "the key's limit is 60 requests a minute"; there is room again after `wait_s` seconds.
Error over_limit(std::int64_t limit, std::string_view what, double wait_s);
/// `left`: USD that are neither spent nor claimed.
Error over_budget(const Key& key, const Claim& claim, double left,
                  std::chrono::system_clock::time_point now);

struct AllowanceClocks {
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
  std::function<std::chrono::steady_clock::time_point()> steady = std::chrono::steady_clock::now;
};

/// Of this process alone. What a key has spent before is read from the ledger's receipts when the
/// key is first used; `ledger` must outlive it.
std::unique_ptr<Allowances> local_allowances(const Ledger& ledger, AllowanceClocks clocks = {});

}  // namespace lichen::ledger
