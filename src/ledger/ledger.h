// The ledger: keeps every receipt and adds them up.
//
//   auto ledger = Ledger::open("/var/lib/lichen/ledger.db");
//   (*ledger)->record(turn.receipt);
//   Result<Totals> today = (*ledger)->totals(midnight);
//
// docs/ledger.md says what is stored and what a crash or a full disk costs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/allowances.h"
#include "ledger/key.h"
#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// What a group of requests used: all of them, those of one plan, or those in which one model took
/// part. Sums over a model count that model's steps only.
struct Usage {
  std::string name;  // of the plan or model; empty for all
  std::int64_t requests = 0;
  std::int64_t failures = 0;  // requests that ended in an error
  std::int64_t steps = 0;
  std::int64_t tokens_in = 0;   // prompt tokens, cached ones included
  std::int64_t tokens_out = 0;  // generated tokens, discarded drafts included
  std::int64_t tokens_cached = 0;
  std::int64_t answer_tokens = 0;  // tokens that stand in an answer, by their author
  std::int64_t bytes_sent = 0;     // that left this device
  /// Sums over the steps that have a price or a reading, of which there are this many; none when
  /// no step has one.
  std::optional<double> usd = {};
  std::int64_t priced_steps = 0;
  std::optional<double> joules = {};
  std::int64_t measured_steps = 0;
  /// Parts of `Totals::all`, 0 to 1. Several models may share a request.
  double request_share = 0;
  double output_token_share = 0;
  double answer_token_share = 0;
  /// Of the requests that were answered (nearest rank); none when there was none.
  std::optional<double> p50_ms = {};
  std::optional<double> p95_ms = {};
};

struct Totals {
  Usage all;
  std::vector<Usage> plans;   // by name
  std::vector<Usage> models;  // by name
};

struct Health {
  bool ok = true;           // the latest write succeeded
  std::size_t pending = 0;  // receipts in memory that wait to be written
  std::uint64_t lost = 0;   // receipts that were dropped since the ledger was opened
  std::string last_error;   // why the latest failed write failed; stays after recovery
};

/// Feedback that was given, by the receipt's id.
struct Rating {
  std::string receipt;
  double score = 0;  // 0 to 1
};

/// A recorded prompt whose answer has feedback.
struct RatedPrompt {
  std::string plan;  // the plan or model that was asked
  std::string prompt;
  double score = 0;  // 0 to 1
};

/// A recorded prompt.
struct RecordedPrompt {
  std::string plan;  // the plan or model that was asked
  std::string prompt;
};

struct LedgerOptions {
  /// Receipts that are kept in memory while they cannot be written; the oldest beyond are lost.
  std::size_t memory_bound = 10'000;
  /// The shortest time between two commits: more receipts share an fsync when it is longer.
  std::chrono::milliseconds commit_interval{5};
  /// Pause after a failed write; doubles with each further failure up to the second.
  std::chrono::milliseconds retry_first{100};
  std::chrono::milliseconds retry_most{5'000};
  /// How long to wait for another process that is writing to the file.
  std::chrono::milliseconds busy_timeout{5'000};
  /// How long a server may take to accept a connection, or to say anything of a statement.
  std::chrono::milliseconds server_timeout{10'000};
};

/// A database of a PostgreSQL server.
struct Server {
  std::string url;  // postgresql://user@host:5432/database, without a password
  /// Variable with the password; empty: PGPASSWORD, a passfile, or none.
  std::string password_env = {};

  bool operator==(const Server&) const = default;
};
/// `bad_config`: no such url, or one with a password in it. Shows neither.
Result<void> check(const Server& server);

/// Hears how the writing of a receipt went; must not block.
using Told = std::function<void(Result<void>)>;

/// Safe to use from any thread. `record` and `health` never wait for the disk or a server; the
/// others do, so call them where blocking is allowed.
class Ledger {
 public:
  /// A SQLite file, made with its folders where missing. `bad_config` when `path` cannot be a
  /// ledger: no access, another program's file, a newer Lichen's. A full disk is no error here:
  /// the ledger then starts as one whose writes fail.
  static Result<std::unique_ptr<Ledger>> open(std::filesystem::path path,
                                              LedgerOptions options = {});
  /// Tables of a PostgreSQL server, shared by all who open it. `bad_config` where the server
  /// refuses us, or has something else there. A server that is not reached is no error here.
  static Result<std::unique_ptr<Ledger>> connect(Server server, LedgerOptions options = {});
  /// Keeps the last `receipts` in memory and nothing on disk.
  static std::unique_ptr<Ledger> in_memory(std::size_t receipts = 1'000);

  /// Writes what is pending, as far as that is possible.
  virtual ~Ledger() = default;

  /// Takes the receipt; it is written soon. A receipt whose id is there already is ignored.
  /// `written`, where given, is called once, by any thread: when the receipt is on disk, or with
  /// `storage` when it could not be brought there at once. It is then tried on.
  virtual void record(Receipt receipt, Told written = {}) = 0;
  /// Waits until all that was recorded before is on disk. `storage` when a write failed meanwhile:
  /// the receipts then stay pending.
  virtual Result<void> flush() = 0;
  virtual Health health() const = 0;

  /// Gives a receipt its feedback, in place of any that it had; on disk when this returns.
  /// `not_found`: no such receipt; `bad_request`: see check(Feedback); `storage`: it cannot be
  /// written now.
  virtual Result<void> rate(const std::string& id, const Feedback& feedback) = 0;
  /// Keeps a text for later runs, in place of the one of the same name; on disk when this returns.
  virtual Result<void> keep(const std::string& name, const std::string& text) = 0;

  /// Keeps a key, in place of the one with the same id; on disk when this returns.
  virtual Result<void> put(const Key& key) = 0;

  // Reading sees pending receipts too.

  /// `not_found` when there is none of this id.
  virtual Result<Receipt> find(const std::string& id) const = 0;
  /// The last `count` at most, newest first.
  virtual Result<std::vector<Receipt>> recent(std::size_t count) const = 0;
  /// The feedback that was given last, newest first, `count` at most.
  virtual Result<std::vector<Rating>> ratings(std::size_t count) const = 0;
  /// All there are, by the time of their feedback, the latest last.
  virtual Result<std::vector<RatedPrompt>> rated_prompts() const = 0;
  /// All there are, with feedback or without, the latest last.
  virtual Result<std::vector<RecordedPrompt>> recorded_prompts() const = 0;
  /// None: nothing was ever kept by this name.
  virtual Result<std::optional<std::string>> kept(const std::string& name) const = 0;
  /// All there are, revoked ones too, in the order of their making.
  virtual Result<std::vector<Key>> keys() const = 0;
  /// Of the requests with the key of this id that started at `since` or later.
  virtual Result<KeyUse> used(const std::string& key,
                              std::chrono::system_clock::time_point since) const = 0;
  /// What keys may still use, for all who share a server's tables. Of a file or in memory: of this
  /// process alone. Must not outlive the ledger.
  virtual std::unique_ptr<Allowances> allowances() const { return local_allowances(*this); }
  /// Over the requests that started at `since` or later, of one plan or of all. `progress` hears
  /// now and then how much is done, 0 to 1.
  virtual Result<Totals> totals(std::chrono::system_clock::time_point since,
                                std::optional<std::string> plan = {},
                                const std::function<void(double)>& progress = {}) const = 0;
  /// Receipts that were dropped since this ledger exists, by whatever process.
  virtual Result<std::uint64_t> lost() const = 0;
};

/// Of the requests with the key since its budget's present period began.
inline Result<KeyUse> used_in_period(const Ledger& ledger, const Key& key) {
  return ledger.used(key.id, period_begin(key.limits.period, std::chrono::system_clock::now()));
}

/// $XDG_STATE_HOME/lichen/ledger.db, or below ~/.local/state; `bad_config` without a home.
Result<std::filesystem::path> default_path();

}  // namespace lichen::ledger
