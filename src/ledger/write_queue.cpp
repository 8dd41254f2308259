#include "ledger/write_queue.h"

#include <algorithm>
#include <utility>

namespace lichen::ledger {

WriteQueue::WriteQueue(LedgerOptions options, Write write, std::string trouble)
    : options_(options),
      write_(std::move(write)),
      ok_(trouble.empty()),
      last_error_(std::move(trouble)),
      thread_([this] { run(); }) {}

WriteQueue::~WriteQueue() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void WriteQueue::record(Receipt receipt, Told written) {
  auto entry = std::make_shared<const Receipt>(std::move(receipt));
  bool wake;
  std::vector<Told> lost;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(entry));
    ++recorded_;
    if (written) waiting_.emplace(recorded_, std::move(written));
    if (queue_.size() + writing_.size() > options_.memory_bound) {
      lost = take_waiting(recorded_ - queue_.size() + 1);
      queue_.pop_front();
      ++lost_;
    }
    wake = queue_.size() == 1 || queue_.size() == kLargestBatch;  // what the thread waits for
  }
  if (wake) wake_.notify_one();
  for (const Told& tell : lost) tell(fail(Errc::storage, "the receipt was dropped unwritten"));
}

Result<void> WriteQueue::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t last = recorded_;
  const std::uint64_t failed_before = failed_writes_;
  flush_through_ = last;
  wake_.notify_one();
  settled_.wait(lock, [&] { return oldest_pending() > last || failed_writes_ > failed_before; });
  if (oldest_pending() > last) return {};
  return fail(Errc::storage,
              std::to_string(queue_.size() + writing_.size()) +
                  " receipts wait in memory because they cannot be written: " + last_error_);
}

Health WriteQueue::health() const {
  std::lock_guard lock(mutex_);
  return Health{.ok = ok_,
                .pending = queue_.size() + writing_.size(),
                .lost = lost_,
                .last_error = last_error_};
}

Batch WriteQueue::pending() const {
  std::lock_guard lock(mutex_);
  Batch all = writing_;
  all.insert(all.end(), queue_.begin(), queue_.end());
  return all;
}

void WriteQueue::run() {
  auto pause = options_.retry_first;
  std::unique_lock lock(mutex_);
  while (true) {
    if (writing_.empty()) {
      wake_.wait(lock, [&] { return !queue_.empty() || stopping_; });
      if (queue_.empty()) break;
      wake_.wait_for(lock, options_.commit_interval,
                     [&] { return urgent() || queue_.size() >= kLargestBatch; });
      const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kLargestBatch));
      writing_first_ = recorded_ - queue_.size() + 1;
      writing_.assign(queue_.begin(), queue_.begin() + count);
      queue_.erase(queue_.begin(), queue_.begin() + count);
    } else {
      wake_.wait_for(lock, pause, [&] { return urgent(); });
    }

    const std::uint64_t lost = lost_;
    const std::uint64_t written_through = writing_first_ + writing_.size() - 1;
    lock.unlock();
    Result<Written> written = write_(writing_, lost);
    lock.lock();

    ok_ = written.has_value();
    if (written) {
      writing_.clear();
      pause = options_.retry_first;
      lost_ += written->refused;
      if (written->refused > 0) last_error_ = std::move(written->reason);
    } else {
      ++failed_writes_;
      flush_through_ = 0;  // whoever flushes is told
      pause = std::min(pause * 2, options_.retry_most);
      last_error_ = std::move(written.error().detail);
    }
    settled_.notify_all();
    if (!waiting_.empty()) {
      const Result<void> went =
          written ? Result<void>()
                  : fail(Errc::storage, "the receipt cannot be written now: " + last_error_);
      const std::vector<Told> told = take_waiting(written_through);
      lock.unlock();
      for (const Told& tell : told) tell(went);
      lock.lock();
    }
    if (stopping_ && !written) break;
  }
  for (const Told& tell : take_waiting(recorded_)) {
    tell(fail(Errc::storage, "the ledger was closed before the receipt was written"));
  }
}

std::vector<Told> WriteQueue::take_waiting(std::uint64_t through) {
  std::vector<Told> told;
  const auto end = waiting_.upper_bound(through);
  for (auto entry = waiting_.begin(); entry != end; ++entry) {
    told.push_back(std::move(entry->second));
  }
  waiting_.erase(waiting_.begin(), end);
  return told;
}

bool WriteQueue::urgent() const { return stopping_ || oldest_pending() <= flush_through_; }

std::uint64_t WriteQueue::oldest_pending() const {
  return writing_.empty() ? recorded_ - queue_.size() + 1 : writing_first_;
}

}  // namespace lichen::ledger
