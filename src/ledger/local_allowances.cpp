#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "ledger/allowances.h"
#include "ledger/ledger.h"

namespace lichen::ledger {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr double kMinute = 60;  // seconds

/// Fills at `rate` a minute up to a minute's worth. What was used beyond it is owed.
class Bucket {
 public:
  /// The limit may change at any time: the level is kept as a share of it.
  void fill(double rate, steady_clock::time_point now) {
    if (!filled_) {
      level_ = 1;
    } else {
      const double seconds = std::chrono::duration<double>(now - *filled_).count();
      level_ = std::min(1.0, level_ + seconds / kMinute);
    }
    filled_ = now;
    rate_ = rate;
  }
  /// Seconds until `amount` is there; 0: it is.
  double wait(double amount) const {
    return std::max(0.0, (std::min(amount, rate_) / rate_ - level_) * kMinute);
  }
  void take(double amount) { level_ -= amount / rate_; }
  void give_back(double amount) { level_ = std::min(1.0, level_ + amount / rate_); }
  bool used() const { return filled_.has_value(); }

 private:
  std::optional<steady_clock::time_point> filled_;
  double rate_ = 1;   // a minute
  double level_ = 1;  // 1: full
};

class LocalAllowances final : public Allowances {
 public:
  LocalAllowances(const Ledger& ledger, AllowanceClocks clocks)
      : ledger_(ledger), clocks_(std::move(clocks)) {}

  Result<Reservation> reserve(const Key& key, const Claim& claim,
                              system_clock::time_point until) override;
  void settle(const Reservation& reservation, const KeyUse& used) override;
  Result<double> spent(const Key& key) override;
  bool blocks(const Key& key) override;

 private:
  struct Open {
    Claim claim;
    double tokens = 0;  // taken from the bucket
    system_clock::time_point until;
  };
  struct Settled {
    Reservation reservation;
    KeyUse used;
  };
  struct Account {
    // What is settled while another holds the account, perhaps for as long as receipts are read.
    std::mutex settled_mutex;
    std::vector<Settled> settled;

    std::mutex mutex;  // of what follows
    Bucket requests;
    Bucket tokens;
    std::map<std::string, Open, std::less<>> open;
    // The budget's period, and what its receipts have spent.
    std::optional<system_clock::time_point> period;
    double spent = 0;
  };

  Account& account(const std::string& key);
  static void take_in_settled(Account& account);
  /// Begins the period that `now` is in, where that is another one.
  Result<void> turn_period(Account& account, const Key& key, system_clock::time_point now) const;
  static double claimed(const Account& account);

  const Ledger& ledger_;
  const AllowanceClocks clocks_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Account>> accounts_;  // guarded by mutex_
};

LocalAllowances::Account& LocalAllowances::account(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto& account = accounts_[key];
  if (!account) account = std::make_unique<Account>();
  return *account;
}

Result<void> LocalAllowances::turn_period(Account& account, const Key& key,
                                          system_clock::time_point now) const {
  const auto begin = period_begin(key.limits.period, now);
  if (account.period == begin) return {};
  // Once a period and key, and again where the key's period was changed.
  const Result<KeyUse> use = ledger_.used(key.id, begin);
  if (!use) return std::unexpected(use.error());
  account.period = begin;
  account.spent = use->usd;
  return {};
}

double LocalAllowances::claimed(const Account& account) {
  double usd = 0;
  for (const auto& [id, open] : account.open) usd += open.claim.usd;
  return usd;
}

Result<Reservation> LocalAllowances::reserve(const Key& key, const Claim& claim,
                                             system_clock::time_point until) {
  const auto now = clocks_.wall();
  const KeyLimits& limits = key.limits;
  Account& account = this->account(key.id);
  const std::lock_guard lock(account.mutex);
  take_in_settled(account);
  std::erase_if(account.open, [now](const auto& entry) { return entry.second.until <= now; });

  if (limits.requests_at_once &&
      std::cmp_greater_equal(account.open.size(), *limits.requests_at_once)) {
    return std::unexpected(over_limit(*limits.requests_at_once, "requests at once", 1));
  }
  if (limits.budget_usd) {
    if (Result<void> turned = turn_period(account, key, now); !turned) {
      return std::unexpected(turned.error());
    }
    const double left = *limits.budget_usd - account.spent - claimed(account);
    if (left <= 0 || claim.usd > left) return std::unexpected(over_budget(key, claim, left, now));
  }
  const auto steady = clocks_.steady();
  const auto tokens = static_cast<double>(claim.tokens);
  double request_wait = 0;
  double token_wait = 0;
  if (limits.requests_per_minute) {
    account.requests.fill(static_cast<double>(*limits.requests_per_minute), steady);
    request_wait = account.requests.wait(1);
  }
  if (limits.tokens_per_minute) {
    account.tokens.fill(static_cast<double>(*limits.tokens_per_minute), steady);
    token_wait = account.tokens.wait(tokens);
  }
  if (request_wait > 0 && request_wait >= token_wait) {
    return std::unexpected(
        over_limit(*limits.requests_per_minute, "requests a minute", request_wait));
  }
  if (token_wait > 0) {
    return std::unexpected(over_limit(*limits.tokens_per_minute, "tokens a minute", token_wait));
  }
  Open open{.claim = claim, .until = until};
  if (limits.requests_per_minute) account.requests.take(1);
  if (limits.tokens_per_minute) {
    open.tokens = std::min(tokens, static_cast<double>(*limits.tokens_per_minute));
    account.tokens.take(open.tokens);
  }
  Reservation reservation{.id = base::new_id("rsv_"), .key = key.id, .claim = claim, .made = now};
  account.open.emplace(reservation.id, open);
  return reservation;
}

void LocalAllowances::settle(const Reservation& reservation, const KeyUse& used) {
  Account& account = this->account(reservation.key);
  {
    const std::lock_guard lock(account.settled_mutex);
    account.settled.push_back({reservation, used});
  }
  // Otherwise the next to hold the account takes it in.
  if (const std::unique_lock lock(account.mutex, std::try_to_lock); lock) take_in_settled(account);
}

void LocalAllowances::take_in_settled(Account& account) {
  std::vector<Settled> settled;
  {
    const std::lock_guard lock(account.settled_mutex);
    settled.swap(account.settled);
  }
  for (const auto& [reservation, used] : settled) {
    double taken = 0;
    if (const auto open = account.open.find(reservation.id); open != account.open.end()) {
      taken = open->second.tokens;
      account.open.erase(open);
    }
    if (account.tokens.used()) {
      account.tokens.give_back(taken - static_cast<double>(used.tokens));
    }
    // What began in another period is that one's; a period that has not begun will read it.
    if (account.period && reservation.made >= *account.period) account.spent += used.usd;
  }
}

bool LocalAllowances::blocks(const Key& key) {
  if (!key.limits.budget_usd) return false;
  Account& account = this->account(key.id);
  // Held: perhaps by one who reads the receipts.
  const std::unique_lock lock(account.mutex, std::try_to_lock);
  return !lock || account.period != period_begin(key.limits.period, clocks_.wall());
}

Result<double> LocalAllowances::spent(const Key& key) {
  const auto now = clocks_.wall();
  Account& account = this->account(key.id);
  const std::lock_guard lock(account.mutex);
  take_in_settled(account);
  if (Result<void> turned = turn_period(account, key, now); !turned) {
    return std::unexpected(turned.error());
  }
  return account.spent;
}

}  // namespace

std::unique_ptr<Allowances> local_allowances(const Ledger& ledger, AllowanceClocks clocks) {
  return std::make_unique<LocalAllowances>(ledger, std::move(clocks));
}

}  // namespace lichen::ledger
