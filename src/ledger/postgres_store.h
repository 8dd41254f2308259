// Receipts as rows on a PostgreSQL server: one connection that writes, one that reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/postgres.h"
#include "ledger/store.h"

namespace lichen::ledger {

class PostgresStore final : public Store {
 public:
  PostgresStore(Server server, std::chrono::milliseconds timeout)
      : server_(std::move(server)), timeout_(timeout) {}

  Result<std::unique_ptr<StoreWriter>> writer() const override;
  Result<std::unique_ptr<StoreReader>> reader() const override;
  std::unique_ptr<Allowances> allowances(std::function<Result<void>()> written) const override;
  /// To tables that are up to date.
  Result<Connection> connect() const;

 private:
  const Server server_;
  const std::chrono::milliseconds timeout_;
};

class PostgresWriter final : public StoreWriter {
 public:
  explicit PostgresWriter(Connection connection) : connection_(std::move(connection)) {}

  bool alive() override { return connection_.alive(); }
  /// Three ways to the server and back, whatever the number of receipts, unless one is refused.
  Result<Written> write(const Batch& batch, const std::string& run, std::uint64_t lost) override;
  Result<bool> rate(std::string_view id, const Feedback& feedback) override;
  Result<void> keep(std::string_view name, std::string_view text) override;
  Result<void> put(const Key& key) override;

 private:
  using Part = std::span<const std::shared_ptr<const Receipt>>;

  struct Progress {
    Written written;
    std::vector<const Receipt*> fresh;  // that were not there before
  };

  /// Inserts all of the part, or where one of them is refused, halves of it until that one is
  /// alone. Ahead goes `first`, if there is one.
  Result<void> insert(Part part, Progress& progress, std::optional<Command> first = {});
  Result<void> insert_all(Part part, Progress& progress, std::optional<Command> first);

  Connection connection_;
};

class PostgresReader final : public StoreReader {
 public:
  explicit PostgresReader(Connection connection) : connection_(std::move(connection)) {}

  bool alive() override { return connection_.alive(); }
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
  /// The receipts of these rows with all their parts.
  Result<std::vector<Receipt>> complete(const Reply& rows);

  Connection connection_;
};

}  // namespace lichen::ledger
