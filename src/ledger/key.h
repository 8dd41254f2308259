// A virtual key: whom it was given to, what it may ask for, and how much.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// How long a budget lasts: for ever, or until the next day, Monday or month begins (UTC).
enum class BudgetPeriod : std::uint8_t { total, day, week, month };

std::string_view to_string(BudgetPeriod period);
std::optional<BudgetPeriod> budget_period(std::string_view name);
/// When the period began that `now` is in; for `total` 1970.
std::chrono::system_clock::time_point period_begin(BudgetPeriod period,
                                                   std::chrono::system_clock::time_point now);
/// When the next one begins; none for `total`.
std::optional<std::chrono::system_clock::time_point> period_end(
    BudgetPeriod period, std::chrono::system_clock::time_point now);

struct KeyLimits {
  std::vector<std::string> plans = {};  // plans and models that it may ask; empty: all
  std::optional<std::int64_t> requests_per_minute = {};
  std::optional<std::int64_t> tokens_per_minute = {};  // of prompts and answers
  std::optional<std::int64_t> requests_at_once = {};
  std::optional<double> budget_usd = {};
  BudgetPeriod period = BudgetPeriod::total;
};

/// `bad_request`, with the field's name, where a number is out of range or a plan's name is empty.
Result<void> check(const KeyLimits& limits);

struct Key {
  std::string id = {};    // "key_" and a ULID; no secret
  std::string name = {};  // whose it is, in the administrator's words
  std::string hash = {};  // SHA-256 of the secret, 64 hexadecimal digits
  std::chrono::system_clock::time_point created = {};
  std::optional<std::chrono::system_clock::time_point> expires = {};
  std::optional<std::chrono::system_clock::time_point> revoked = {};
  KeyLimits limits = {};
};

/// JSON form, the same in `lichen keys` and the server's API: all but the hash.
boost::json::object to_json(const Key& key);

/// What a key's receipts add up to.
struct KeyUse {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;  // of prompts and answers, discarded drafts included
  double usd = 0;
};
void add(KeyUse& use, const Receipt& receipt);
/// The key's, with `used` in it.
boost::json::object to_json(const Key& key, const KeyUse& used);

}  // namespace lichen::ledger
