// A ledger in a database: a queue in front of one connection that writes receipts, another that
// reads, and a third, opened when it is needed, that writes what cannot wait in the queue. Readers
// see the database and the queue as one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/ids.h"
#include "ledger/ledger.h"
#include "ledger/store.h"
#include "ledger/write_queue.h"

namespace lichen::ledger {

/// A connection that is opened when it is first used, and anew after it failed or was lost.
template <class Connection>
class Kept {
 public:
  /// What `work` returns, called with the connection; `open` makes one. One call at a time: whoever
  /// waits for its turn while another call meets trouble shares that trouble, so that a server that
  /// answers nobody holds up all who wait once, not one after the other.
  template <class Open, class Work>
  std::invoke_result_t<Work, Connection&> use(Open&& open, Work&& work) {
    const auto came = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (failed_at_ > came) return std::unexpected(*failure_);
    if (connection_ && !connection_->alive()) connection_.reset();
    if (!connection_) {
      Result<std::unique_ptr<Connection>> opened = open();
      if (!opened) return std::unexpected(failed(opened.error()));
      connection_ = std::move(*opened);
    }
    auto result = work(*connection_);
    if (!result) {
      connection_.reset();
      return std::unexpected(failed(result.error()));
    }
    return result;
  }

 private:
  Error failed(const Error& error) {
    if (error.code == Errc::storage) {
      failure_ = error;
      failed_at_ = std::chrono::steady_clock::now();
    }
    return error;
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  std::unique_ptr<Connection> connection_;
  std::optional<Error> failure_;
  std::chrono::steady_clock::time_point failed_at_ = {};
};

class StoredLedger final : public Ledger {
 public:
  /// `writer` is null where none can be opened at present, and `trouble` says why.
  StoredLedger(std::unique_ptr<const Store> store, LedgerOptions options,
               std::unique_ptr<StoreWriter> writer, std::string trouble);
  /// `bad_config` where the store cannot be used. Where it can only not be written to at present,
  /// the ledger starts as one whose writes fail.
  static Result<std::unique_ptr<StoredLedger>> open(std::unique_ptr<const Store> store,
                                                    LedgerOptions options);

  /// Opens the reading connection. Where that fails, the first reading tries again.
  void start_reading();

  void record(Receipt receipt, Told written) override {
    queue_.record(std::move(receipt), std::move(written));
  }
  Result<void> flush() override { return queue_.flush(); }
  Health health() const override { return queue_.health(); }
  Result<void> rate(const std::string& id, const Feedback& feedback) override;
  Result<void> keep(const std::string& name, const std::string& text) override;
  Result<void> put(const Key& key) override;
  Result<std::vector<Key>> keys() const override;
  Result<KeyUse> used(const std::string& key,
                      std::chrono::system_clock::time_point since) const override;
  Result<Receipt> find(const std::string& id) const override;
  Result<std::vector<Rating>> ratings(std::size_t count) const override;
  Result<std::vector<RatedPrompt>> rated_prompts() const override;
  Result<std::vector<RecordedPrompt>> recorded_prompts() const override;
  Result<std::optional<std::string>> kept(const std::string& name) const override;
  Result<std::vector<Receipt>> recent(std::size_t count) const override;
  Result<Totals> totals(std::chrono::system_clock::time_point since,
                        std::optional<std::string> plan,
                        const std::function<void(double)>& progress) const override;
  Result<std::uint64_t> lost() const override;
  std::unique_ptr<Allowances> allowances() const override;

 private:
  Result<Written> write(const Batch& batch, std::uint64_t lost);
  /// What `work`, called with the reading connection, returns.
  template <class Work>
  std::invoke_result_t<Work, StoreReader&> read(Work&& work) const;
  /// Calls `work` with the connection for what is written beside the queue.
  template <class Work>
  Result<void> write_beside(Work&& work);

  const std::unique_ptr<const Store> store_;
  const std::string run_ = base::new_id("run_");
  mutable Kept<StoreReader> reader_;
  Kept<StoreWriter> beside_;
  std::unique_ptr<StoreWriter> writer_;  // the queue's thread's
  mutable WriteQueue queue_;             // last: its thread uses the above
};

}  // namespace lichen::ledger
