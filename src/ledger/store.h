// Where a ledger keeps receipts: what it asks of a database.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/allowances.h"
#include "ledger/key.h"
#include "ledger/ledger.h"
#include "ledger/write_queue.h"
#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// A connection that writes. Used by one thread at a time. After an error it must be thrown away:
/// it may be inside a transaction.
class StoreWriter {
 public:
  virtual ~StoreWriter() = default;

  /// Whether it is worth using once more: false where the other side has hung up meanwhile. Asks
  /// nobody.
  virtual bool alive() { return true; }

  /// All in one transaction. A receipt that the schema refuses is left out; one whose id is there
  /// already is passed over. `lost`: how many receipts the run named `run` has dropped so far, to
  /// which those that are refused now are added. So a batch may be repeated when its commit was in
  /// doubt.
  virtual Result<Written> write(const Batch& batch, const std::string& run, std::uint64_t lost) = 0;

  // Each on disk when it returns.

  /// False: there is no receipt of this id.
  virtual Result<bool> rate(std::string_view id, const Feedback& feedback) = 0;
  virtual Result<void> keep(std::string_view name, std::string_view text) = 0;
  /// In place of the one with the same id.
  virtual Result<void> put(const Key& key) = 0;
};

/// A connection that reads. Used by one thread at a time; to be thrown away after an error.
class StoreReader {
 public:
  using Visit = std::function<void(const Receipt&)>;

  virtual ~StoreReader() = default;

  virtual bool alive() { return true; }  // as a writer's

  virtual Result<std::optional<Receipt>> find(std::string_view id) = 0;
  /// In falling order of recording, `count` at most.
  virtual Result<void> recent(std::size_t count, const Visit& visit) = 0;
  /// Those that started at `since` or later, of one plan or of all.
  virtual Result<void> since(std::chrono::system_clock::time_point since,
                             const std::optional<std::string>& plan, const Visit& visit) = 0;
  virtual Result<std::int64_t> count_since(std::chrono::system_clock::time_point since,
                                           const std::optional<std::string>& plan) = 0;
  /// The latest feedback first, `count` at most.
  virtual Result<std::vector<Rating>> ratings(std::size_t count) = 0;
  /// The latest feedback last.
  virtual Result<std::vector<RatedPrompt>> rated_prompts() = 0;
  virtual Result<std::vector<RecordedPrompt>> recorded_prompts() = 0;
  virtual Result<std::optional<std::string>> kept(std::string_view name) = 0;
  /// In the order of their making.
  virtual Result<std::vector<Key>> keys() = 0;
  /// Of the receipts that started at `since` or later.
  virtual Result<KeyUse> used(std::string_view key,
                              std::chrono::system_clock::time_point since) = 0;
  /// Receipts that all runs but `run` have lost together.
  virtual Result<std::uint64_t> lost_by_others(std::string_view run) = 0;
};

/// A database, which makes connections. Safe to use from any thread. Errors come in three kinds:
/// `bad_request`, the data breaks a rule of the schema and another try cannot help; `bad_config`,
/// the database cannot be used; `storage`, trouble that may pass (disk full, locked, not reached).
class Store {
 public:
  virtual ~Store() = default;

  virtual Result<std::unique_ptr<StoreWriter>> writer() const = 0;
  virtual Result<std::unique_ptr<StoreReader>> reader() const = 0;
  /// What keys may still use, for all who share this store; null where nobody does. `written` waits
  /// until all that was recorded before is stored. Must not outlive what that refers to.
  virtual std::unique_ptr<Allowances> allowances(std::function<Result<void>()> written) const {
    static_cast<void>(written);
    return nullptr;
  }
};

}  // namespace lichen::ledger
