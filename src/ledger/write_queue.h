// A bounded queue of receipts and the thread that writes them in batches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ledger/ledger.h"
#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// Shared between the queue and its readers, none of which changes the receipts.
using Batch = std::vector<std::shared_ptr<const Receipt>>;

/// How a batch went that was written.
struct Written {
  std::size_t refused = 0;  // receipts that can never be written
  std::string reason;       // why the last of them was refused
};

/// Group commit: receipts that arrive while a batch is being written form the next batch. A batch
/// that fails is tried again, with growing pauses, until it succeeds.
class WriteQueue {
 public:
  /// Writes a batch, whole or not at all, and how many receipts were lost until then. Called on the
  /// queue's thread, one call at a time.
  using Write = std::function<Result<Written>(const Batch& batch, std::uint64_t lost)>;

  static constexpr std::size_t kLargestBatch = 512;

  /// `trouble`: writing is known to fail at present, and why; else empty.
  WriteQueue(LedgerOptions options, Write write, std::string trouble = {});
  /// Tries to write what is left, once more.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// `written`: told, on the queue's thread, once the receipt is on disk or an attempt to bring it
  /// there has failed, whichever comes first.
  void record(Receipt receipt, Told written = {});
  Result<void> flush();
  Health health() const;
  /// What is not written yet, oldest first.
  Batch pending() const;

 private:
  void run();
  /// Takes out those whose receipts have a number up to `through`.
  std::vector<Told> take_waiting(std::uint64_t through);
  bool urgent() const;                   // a flush or the destructor waits
  std::uint64_t oldest_pending() const;  // number of the oldest receipt not written yet

  const LedgerOptions options_;
  const Write write_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;     // for the thread
  std::condition_variable settled_;  // for flush: a write has ended
  // Guarded by mutex_. Receipts are numbered from 1 in the order of recording.
  std::deque<std::shared_ptr<const Receipt>> queue_;
  std::map<std::uint64_t, Told> waiting_;  // by their receipts' numbers
  Batch writing_;               // changed by the thread only, which may read it without the mutex
  std::uint64_t recorded_ = 0;  // number of the last receipt
  std::uint64_t writing_first_ = 0;  // number of the first of writing_
  std::uint64_t flush_through_ = 0;  // number up to which a flush waits
  std::uint64_t failed_writes_ = 0;
  std::uint64_t lost_ = 0;
  bool ok_;
  std::string last_error_;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lichen::ledger
