#include "ledger/write_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

/// Stands in for the database: takes batches, fails when told to, and can be held up in mid-write.
class Disk {
 public:
  Result<Written> write(const Batch& batch, std::uint64_t lost) {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    if (full_) return fail(Errc::storage, "disk is full");
    std::vector<std::string> ids;
    Written written;
    for (const auto& receipt : batch) {
      if (receipt->id == "bad") {
        ++written.refused;
        written.reason = "bad is bad";
      } else {
        ids.push_back(receipt->id);
      }
    }
    batches_.push_back(std::move(ids));
    lost_ = lost;
    changed_.notify_all();
    return written;
  }

  void set_full(bool full) {
    change([&] { full_ = full; });
  }
  void hold() {
    change([&] { held_ = true; });
  }
  void release() {
    change([&] { held_ = false; });
  }
  void wait_for_attempts(int count) {
    wait([&] { return attempts_ >= count; });
  }
  void wait_for_batches(std::size_t count) {
    wait([&] { return batches_.size() >= count; });
  }

  std::vector<std::vector<std::string>> batches() {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> all;
    for (const auto& batch : batches()) all.insert(all.end(), batch.begin(), batch.end());
    return all;
  }
  /// As the last write that succeeded was told.
  std::uint64_t lost() {
    std::lock_guard lock(mutex_);
    return lost_;
  }
  int attempts() {
    std::lock_guard lock(mutex_);
    return attempts_;
  }

 private:
  template <class F>
  void change(F&& f) {
    {
      std::lock_guard lock(mutex_);
      f();
    }
    changed_.notify_all();
  }
  template <class F>
  void wait(F&& condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool full_ = false, held_ = false;
  int attempts_ = 0;
  std::uint64_t lost_ = 0;
  std::vector<std::vector<std::string>> batches_;
};

Receipt named(std::string id) {
  Receipt receipt;
  receipt.id = std::move(id);
  return receipt;
}

/// Nothing happens by time alone: commits and retries wait until somebody flushes.
LedgerOptions patient() { return {.commit_interval = 1h, .retry_first = 1h, .retry_most = 1h}; }

class WriteQueueTest : public testing::Test {
 protected:
  WriteQueue::Write write() {
    return [this](const Batch& batch, std::uint64_t lost) { return disk_.write(batch, lost); };
  }
  Disk disk_;
};

TEST_F(WriteQueueTest, WritesAllInOrderInBoundedBatches) {
  WriteQueue queue({}, write());
  std::vector<std::string> expected;
  for (int i = 0; i < 2'000; ++i) {
    expected.push_back(std::to_string(i));
    queue.record(named(expected.back()));
  }
  ASSERT_TRUE(queue.flush());
  EXPECT_EQ(disk_.ids(), expected);
  for (const auto& batch : disk_.batches()) EXPECT_LE(batch.size(), WriteQueue::kLargestBatch);
  EXPECT_EQ(queue.health().pending, 0u);
  EXPECT_TRUE(queue.pending().empty());
}

TEST_F(WriteQueueTest, WhatArrivesDuringAWriteIsOneBatch) {
  WriteQueue queue({}, write());
  disk_.hold();
  queue.record(named("first"));
  disk_.wait_for_attempts(1);
  for (int i = 0; i < 100; ++i) queue.record(named(std::to_string(i)));  // does not wait
  EXPECT_THAT(queue.pending(), SizeIs(101));
  disk_.release();
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.batches(), ElementsAre(SizeIs(1), SizeIs(100)));
}

TEST_F(WriteQueueTest, WhoWaitsForTheDiskIsToldWhenItIsThere) {
  std::promise<std::string> told;
  auto heard = told.get_future();
  WriteQueue queue(patient(), write());
  queue.record(named("a"), [&](const Result<void>& written) {
    told.set_value(written ? "a of " + std::to_string(disk_.ids().size()) : "a failed");
  });
  queue.record(named("b"));
  EXPECT_EQ(heard.wait_for(0s), std::future_status::timeout);
  ASSERT_TRUE(queue.flush());
  EXPECT_EQ(heard.get(), "a of 2");
}

TEST_F(WriteQueueTest, AFailedAttemptIsToldAtOnceAndTheReceiptStays) {
  std::vector<std::string> told;
  disk_.set_full(true);
  {
    WriteQueue queue(patient(), write());
    queue.record(named("a"), [&](const Result<void>& written) {
      told.push_back(written ? "a" : "a: " + written.error().detail);
    });
    EXPECT_FALSE(queue.flush());
    EXPECT_EQ(queue.health().pending, 1u);
    disk_.set_full(false);
    ASSERT_TRUE(queue.flush());
  }
  EXPECT_THAT(told, ElementsAre(StartsWith("a: the receipt cannot be written now: ")));
}

TEST_F(WriteQueueTest, WhatIsDroppedIsTold) {
  std::vector<std::string> told;
  LedgerOptions options = patient();
  options.memory_bound = 2;
  {
    WriteQueue queue(options, write());
    for (const char* id : {"a", "b", "c", "d"}) {
      queue.record(named(id), [&told, id](const Result<void>& written) {
        told.push_back(std::string(id) + (written ? " written" : " lost"));
      });
    }
    EXPECT_THAT(told, ElementsAre("a lost", "b lost"));
  }
  EXPECT_THAT(told, ElementsAre("a lost", "b lost", "c written", "d written"));
}

TEST_F(WriteQueueTest, FlushDoesNotWaitForTheCommitInterval) {
  WriteQueue queue(patient(), write());
  queue.record(named("a"));
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.ids(), ElementsAre("a"));
  ASSERT_TRUE(queue.flush());
}

TEST_F(WriteQueueTest, AFullBatchDoesNotWaitEither) {
  WriteQueue queue(patient(), write());
  for (std::size_t i = 0; i < WriteQueue::kLargestBatch; ++i) queue.record(named("x"));
  disk_.wait_for_batches(1);
  EXPECT_THAT(disk_.ids(), SizeIs(WriteQueue::kLargestBatch));
}

TEST_F(WriteQueueTest, KeepsWhatCannotBeWrittenAndWritesItLater) {
  WriteQueue queue(patient(), write());
  disk_.set_full(true);
  for (const char* id : {"a", "b", "c"}) queue.record(named(id));
  const Result<void> flushed = queue.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::storage);
  EXPECT_THAT(flushed.error().detail, HasSubstr("3 receipts"));
  EXPECT_THAT(flushed.error().detail, HasSubstr("disk is full"));
  Health health = queue.health();
  EXPECT_FALSE(health.ok);
  EXPECT_EQ(health.pending, 3u);
  EXPECT_EQ(health.lost, 0u);
  EXPECT_EQ(health.last_error, "disk is full");

  queue.record(named("d"));
  disk_.set_full(false);
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.ids(), ElementsAre("a", "b", "c", "d"));
  health = queue.health();
  EXPECT_TRUE(health.ok);
  EXPECT_EQ(health.pending, 0u);
  EXPECT_EQ(health.lost, 0u);
  EXPECT_EQ(health.last_error, "disk is full") << "what went wrong last stays known";
}

TEST_F(WriteQueueTest, RetriesByItself) {
  WriteQueue queue({.commit_interval = 0ms, .retry_first = 1ms, .retry_most = 2ms}, write());
  disk_.set_full(true);
  queue.record(named("a"));
  disk_.wait_for_attempts(4);
  disk_.set_full(false);
  disk_.wait_for_batches(1);
  EXPECT_THAT(disk_.ids(), ElementsAre("a"));
}

TEST_F(WriteQueueTest, CountsTheOldestWaitingOnesOverTheBoundAsLost) {
  LedgerOptions options;
  options.memory_bound = 4;
  WriteQueue queue(options, write());
  disk_.hold();
  queue.record(named("writing"));
  disk_.wait_for_attempts(1);
  for (const char* id : {"1", "2", "3", "4", "5", "6"}) queue.record(named(id));
  EXPECT_EQ(queue.health().pending, 4u);
  EXPECT_EQ(queue.health().lost, 3u);
  disk_.release();
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.ids(), ElementsAre("writing", "4", "5", "6"));
  EXPECT_EQ(disk_.lost(), 3u);
}

TEST_F(WriteQueueTest, WhatCanNeverBeWrittenIsLostAndHoldsNothingUp) {
  WriteQueue queue({}, write());
  for (const char* id : {"a", "bad", "b"}) queue.record(named(id));
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.ids(), ElementsAre("a", "b"));
  EXPECT_EQ(queue.health().lost, 1u);
  EXPECT_EQ(queue.health().last_error, "bad is bad");
  EXPECT_TRUE(queue.health().ok);
}

TEST_F(WriteQueueTest, FlushHearsOfAWriteThatFailsMeanwhile) {
  WriteQueue queue({}, write());
  disk_.set_full(true);
  disk_.hold();
  queue.record(named("a"));
  disk_.wait_for_attempts(1);
  std::jthread releases([&] { disk_.release(); });
  EXPECT_FALSE(queue.flush());
}

TEST_F(WriteQueueTest, StartsInTroubleAndRecovers) {
  WriteQueue queue({}, write(), "no room");
  EXPECT_FALSE(queue.health().ok);
  EXPECT_EQ(queue.health().last_error, "no room");
  queue.record(named("a"));
  ASSERT_TRUE(queue.flush());
  EXPECT_TRUE(queue.health().ok);
}

TEST_F(WriteQueueTest, TheDestructorWritesTheRest) {
  {
    WriteQueue queue(patient(), write());
    for (int i = 0; i < 700; ++i) queue.record(named("x"));
  }
  EXPECT_THAT(disk_.ids(), SizeIs(700));
}

TEST_F(WriteQueueTest, TheDestructorGivesUpAfterAFailure) {
  disk_.set_full(true);
  {
    WriteQueue queue(patient(), write());
    queue.record(named("a"));
    EXPECT_FALSE(queue.flush());
  }
  EXPECT_EQ(disk_.attempts(), 2);
  EXPECT_TRUE(disk_.ids().empty());
}

TEST_F(WriteQueueTest, LosesNothingOfManyThreads) {
  constexpr int kThreads = 4, kEach = 500;
  WriteQueue queue({}, write());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&queue] {
        for (int i = 0; i < kEach; ++i) {
          queue.record(named("x"));
          if (i % 100 == 0) EXPECT_TRUE(queue.flush());
          static_cast<void>(queue.pending());
        }
      });
    }
  }
  ASSERT_TRUE(queue.flush());
  EXPECT_THAT(disk_.ids(), SizeIs(kThreads * kEach));
}

}  // namespace
}  // namespace lichen::ledger
