// Receipts as rows of a SQLite file: one connection that writes, one that reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/schema.h"
#include "ledger/sqlite.h"
#include "ledger/store.h"

namespace lichen::ledger {

class SqliteStore final : public Store {
 public:
  SqliteStore(std::filesystem::path file, std::chrono::milliseconds busy_timeout)
      : file_(std::move(file)), busy_timeout_(busy_timeout) {}

  Result<std::unique_ptr<StoreWriter>> writer() const override;
  Result<std::unique_ptr<StoreReader>> reader() const override;

 private:
  Result<Database> open() const;

  const std::filesystem::path file_;
  const std::chrono::milliseconds busy_timeout_;
};

class SqliteWriter final : public StoreWriter {
 public:
  explicit SqliteWriter(Database database);

  Result<Written> write(const Batch& batch, const std::string& run, std::uint64_t lost) override;
  Result<bool> rate(std::string_view id, const Feedback& feedback) override;
  Result<void> keep(std::string_view name, std::string_view text) override;
  Result<void> put(const Key& key) override;

 private:
  Result<void> insert(const Receipt& receipt);
  Result<void> insert_parts(std::int64_t seq, const Receipt& receipt);

  Database database_;
  Statement begin_, commit_, undo_;
  Statement receipt_, step_, decision_, author_, draft_, loss_;
  Statement prompt_, feedback_, kept_, key_;
};

class SqliteReader final : public StoreReader {
 public:
  explicit SqliteReader(Database database);

  Result<std::optional<Receipt>> find(std::string_view id) override;
  Result<void> recent(std::size_t count, const Visit& visit) override;
  Result<void> since(std::chrono::system_clock::time_point since,
                     const std::optional<std::string>& plan, const Visit& visit) override;
  Result<std::int64_t> count_since(std::chrono::system_clock::time_point since,
                                   const std::optional<std::string>& plan) override;
  Result<std::vector<Rating>> ratings(std::size_t count) override;
  Result<std::vector<RatedPrompt>> rated_prompts() override;
  Result<std::vector<RecordedPrompt>> recorded_prompts() override;
  Result<std::optional<std::string>> kept(std::string_view name) override;
  Result<std::vector<Key>> keys() override;
  Result<KeyUse> used(std::string_view key, std::chrono::system_clock::time_point since) override;
  Result<std::uint64_t> lost_by_others(std::string_view run) override;

 private:
  Result<void> visit_all(Rows& rows, const Visit& visit);
  Result<Receipt> read(const Rows& row);

  Database database_;
  Statement by_id_, newest_, since_, count_since_;
  Statement steps_, decisions_, authors_, drafts_, losses_, ratings_, rated_prompts_,
      recorded_prompts_, kept_, keys_, requests_used_, used_;
};

}  // namespace lichen::ledger
