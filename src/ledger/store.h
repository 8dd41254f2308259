// Receipts as rows of the database: one connection that writes, one that reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/key.h"
#include "ledger/schema.h"
#include "ledger/sqlite.h"
#include "ledger/write_queue.h"
#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// Used by one thread at a time. After an error it must be thrown away: it may be inside a
/// transaction.
class StoreWriter {
 public:
  static Result<std::unique_ptr<StoreWriter>> open(const std::filesystem::path& file,
                                                   std::chrono::milliseconds busy_timeout);
  explicit StoreWriter(Database database);

  /// All in one transaction. A receipt that the schema refuses is left out; one whose id is there
  /// already is passed over. `lost`: how many receipts the run named `run` has dropped so far, to
  /// which those that are refused now are added. So a batch may be repeated when its commit was in
  /// doubt.
  Result<Written> write(const Batch& batch, const std::string& run, std::uint64_t lost);

  // Each on disk when it returns.

  /// False: there is no receipt of this id.
  Result<bool> rate(std::string_view id, const Feedback& feedback);
  Result<void> keep(std::string_view name, std::string_view text);
  /// In place of the one with the same id.
  Result<void> put(const Key& key);

 private:
  Result<void> insert(const Receipt& receipt);
  Result<void> insert_parts(std::int64_t seq, const Receipt& receipt);

  Database database_;
  Statement begin_, commit_, undo_;
  Statement receipt_, step_, decision_, author_, draft_, loss_;
  Statement prompt_, feedback_, kept_, key_;
};

/// Used by one thread at a time.
class StoreReader {
 public:
  using Visit = std::function<void(const Receipt&)>;

  static Result<std::unique_ptr<StoreReader>> open(const std::filesystem::path& file,
                                                   std::chrono::milliseconds busy_timeout);
  explicit StoreReader(Database database);

  Result<std::optional<Receipt>> find(std::string_view id);
  /// In falling order of recording, `count` at most.
  Result<void> recent(std::size_t count, const Visit& visit);
  /// Those that started at `since` or later, of one plan or of all.
  Result<void> since(std::chrono::system_clock::time_point since,
                     const std::optional<std::string>& plan, const Visit& visit);
  Result<std::int64_t> count_since(std::chrono::system_clock::time_point since,
                                   const std::optional<std::string>& plan);
  /// The latest feedback first, `count` at most.
  Result<std::vector<Rating>> ratings(std::size_t count);
  /// The latest feedback last.
  Result<std::vector<RatedPrompt>> rated_prompts();
  Result<std::vector<RecordedPrompt>> recorded_prompts();
  Result<std::optional<std::string>> kept(std::string_view name);
  /// In the order of their making.
  Result<std::vector<Key>> keys();
  /// Of the receipts that started at `since` or later.
  Result<KeyUse> used(std::string_view key, std::chrono::system_clock::time_point since);
  /// Receipts that all runs but `run` have lost together.
  Result<std::uint64_t> lost_by_others(std::string_view run);

 private:
  Result<void> visit_all(Rows& rows, const Visit& visit);
  Result<Receipt> read(const Rows& row);

  Database database_;
  Statement by_id_, newest_, since_, count_since_;
  Statement steps_, decisions_, authors_, drafts_, losses_, ratings_, rated_prompts_,
      recorded_prompts_, kept_, keys_, requests_used_, used_;
};

}  // namespace lichen::ledger
