#include "ledger/server_allowances.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "ledger/postgres.h"
#include "ledger/rows.h"

namespace lichen::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::size_t kMostConnections = 8;
/// Requests whose end is kept while it cannot be told; reservations of more end by themselves.
constexpr std::size_t kMostEnded = 10'000;
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};
/// For so long a server that was not reached is not asked again.
constexpr milliseconds kGone{1'000};

/// Connections, each lent to one call at a time. Safe to use from any thread.
class Connections {
 public:
  explicit Connections(const PostgresStore& store) : store_(store) {}

  /// Waits while all are lent. Whoever waits while another finds the server gone is told the same,
  /// and so is whoever comes a little later: else many requests would each wait for it in vain.
  Result<Reply> run(const Command& command) {
    Result<std::unique_ptr<Connection>> connection = take();
    if (!connection) return std::unexpected(connection.error());
    Result<Reply> reply = (*connection)->run(command);
    if (!reply) connection->reset();
    give_back(*std::move(connection), reply ? std::nullopt : std::optional(reply.error()));
    return reply;
  }

 private:
  Result<std::unique_ptr<Connection>> take() {
    const auto came = steady_clock::now();
    {
      std::unique_lock lock(mutex_);
      const auto gone = [&] { return failed_at_ + kGone > came; };
      returned_.wait(lock, [&] { return lent_ < kMostConnections || gone(); });
      if (gone()) return std::unexpected(failure_);
      ++lent_;
      while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->alive()) return connection;
      }
    }
    Result<Connection> opened = open();
    if (opened) return std::make_unique<Connection>(*std::move(opened));
    give_back(nullptr, opened.error());
    return std::unexpected(opened.error());
  }

  /// Nobody waits for the server's disk: what a crash of the server may undo here stands for
  /// requests in progress only, and what they cost is told by their receipts.
  Result<Connection> open() {
    Result<Connection> connection = store_.connect();
    if (!connection) return connection;
    const Result<Reply> set = connection->run(Command("SET synchronous_commit = off"));
    if (!set) return std::unexpected(set.error());
    return connection;
  }

  /// Null: it was thrown away.
  void give_back(std::unique_ptr<Connection> connection, const std::optional<Error>& error) {
    {
      std::lock_guard lock(mutex_);
      --lent_;
      if (connection) idle_.push_back(std::move(connection));
      if (!error) {
        failed_at_ = {};
      } else if (error->code == Errc::storage) {
        failure_ = *error;
        failed_at_ = steady_clock::now();
      }
    }
    error ? returned_.notify_all() : returned_.notify_one();
  }

  const PostgresStore& store_;
  std::mutex mutex_;
  std::condition_variable returned_;
  // Guarded by mutex_.
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
  Error failure_;
  steady_clock::time_point failed_at_ = {};
};

/// A request that has ended.
struct Ended {
  std::string reservation;
  std::string key;
  KeyUse used;
};

bool limited(const KeyLimits& limits) {
  return limits.requests_per_minute || limits.tokens_per_minute || limits.requests_at_once ||
         limits.budget_usd;
}

class ServerAllowances final : public Allowances {
 public:
  ServerAllowances(const PostgresStore& store, std::function<Result<void>()> written)
      : connections_(store), written_(std::move(written)), thread_([this] { settle_all(); }) {}
  /// Settles what is left, as far as that is possible.
  ~ServerAllowances() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  Result<Reservation> reserve(const Key& key, const Claim& claim,
                              system_clock::time_point until) override;
  void settle(const Reservation& reservation, const KeyUse& used) override;
  Result<double> spent(const Key& key) override;
  bool blocks(const Key& key) override { return limited(key.limits); }

 private:
  void settle_all();
  /// False: it has to be tried again.
  bool settle(const std::vector<Ended>& ended);
  bool forget(const std::vector<Ended>& settled);

  Connections connections_;
  const std::function<Result<void>()> written_;

  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::vector<Ended> ended_;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses the above
};

Result<Reservation> ServerAllowances::reserve(const Key& key, const Claim& claim,
                                              system_clock::time_point until) {
  const KeyLimits& limits = key.limits;
  const auto now = system_clock::now();
  if (!limited(limits)) return Reservation{.id = "", .key = key.id, .claim = claim, .made = now};
  const std::string id = base::new_id("rsv_");
  const double seconds = std::max(0.0, std::chrono::duration<double>(until - now).count());
  const Result<Reply> reply = connections_.run(
      Command("SELECT verdict, number, made_ns FROM lichen.reserve($1, $2, $3::float8, $4::float8,"
              " $5::numeric, $6::float8, $7::float8, $8::bigint, $9::numeric, $10)",
              id, key.id, seconds, claim.tokens, claim.usd, limits.requests_per_minute,
              limits.tokens_per_minute, limits.requests_at_once, limits.budget_usd,
              to_string(limits.period)));
  if (!reply) {
    // It may have been granted all the same.
    if (reply.error().code == Errc::storage) settle({.id = id, .key = key.id}, {});
    return std::unexpected(reply.error());
  }
  const ReplyRow row = (*reply)[0];
  const std::string verdict = row.text(0);
  const double number = row.real(1);
  const system_clock::time_point made = from_ns(row.integer(2));
  if (verdict == "at_once") {
    return std::unexpected(over_limit(*limits.requests_at_once, "requests at once", 1));
  }
  if (verdict == "budget") return std::unexpected(over_budget(key, claim, number, made));
  if (verdict == "requests") {
    return std::unexpected(over_limit(*limits.requests_per_minute, "requests a minute", number));
  }
  if (verdict == "tokens") {
    return std::unexpected(over_limit(*limits.tokens_per_minute, "tokens a minute", number));
  }
  return Reservation{.id = id, .key = key.id, .claim = claim, .made = made};
}

void ServerAllowances::settle(const Reservation& reservation, const KeyUse& used) {
  if (reservation.id.empty()) return;
  {
    std::lock_guard lock(mutex_);
    if (ended_.size() == kMostEnded) return;
    ended_.push_back({reservation.id, reservation.key, used});
  }
  wake_.notify_one();
}

Result<double> ServerAllowances::spent(const Key& key) {
  const Result<Reply> sum =
      connections_.run(Command("SELECT coalesce(sum(usd), 0)::float8 FROM lichen.spending"
                               " WHERE key = $1 AND day >= lichen.first_day($2, clock_timestamp())",
                               key.id, to_string(key.limits.period)));
  if (!sum) return std::unexpected(sum.error());
  return (*sum)[0].real(0);
}

void ServerAllowances::settle_all() {
  std::vector<Ended> fresh;    // not settled yet
  std::vector<Ended> settled;  // whose receipts may still be on their way
  auto pause = kFirstPause;
  std::unique_lock lock(mutex_);
  while (true) {
    if (fresh.empty() && settled.empty()) {
      wake_.wait(lock, [&] { return !ended_.empty() || stopping_; });
    } else {
      wake_.wait_for(lock, pause, [&] { return stopping_; });
      pause = std::min(pause * 2, kLongestPause);
    }
    const bool last = stopping_;
    if (fresh.empty() && settled.size() < kMostEnded) fresh = std::exchange(ended_, {});
    lock.unlock();
    if (settle(fresh)) {
      std::ranges::move(fresh, std::back_inserter(settled));
      fresh.clear();
    }
    // A request's receipts are recorded before it is settled.
    if (!settled.empty() && written_() && forget(settled)) settled.clear();
    const bool well = fresh.empty() && settled.empty();
    if (well) pause = kFirstPause;
    lock.lock();
    if (last && (ended_.empty() || !well)) return;
  }
}

bool ServerAllowances::settle(const std::vector<Ended>& ended) {
  if (ended.empty()) return true;
  Column reservations, keys, tokens, usd;
  for (const Ended& request : ended) {
    reservations.add(request.reservation);
    keys.add(request.key);
    tokens.add(request.used.tokens);
    usd.add(request.used.usd);
  }
  return connections_
      .run(Command("SELECT lichen.settle($1::text[], $2::text[], $3::float8[], $4::numeric[])",
                   reservations, keys, tokens, usd))
      .has_value();
}

bool ServerAllowances::forget(const std::vector<Ended>& settled) {
  Column reservations;
  for (const Ended& request : settled) reservations.add(request.reservation);
  return connections_
      .run(Command("DELETE FROM lichen.reservations WHERE id = ANY ($1::text[])", reservations))
      .has_value();
}

}  // namespace

std::unique_ptr<Allowances> server_allowances(const PostgresStore& store,
                                              std::function<Result<void>()> written) {
  return std::make_unique<ServerAllowances>(store, std::move(written));
}

}  // namespace lichen::ledger
