// How many requests may be sent again, so that retries never become the load that brings a failing
// endpoint down for good.
#pragma once

#include <algorithm>
#include <mutex>

#include "lichen/turn.h"

namespace lichen::model {

/// A token bucket (as Finagle's RetryBudget): each request pays in a share of a retry, each retry
/// takes one out; and a few are there however few requests there are. Safe from any thread.
class RetryBudget {
 public:
  static constexpr double kShare = 0.2;  // retries for each request
  static constexpr double kFew = 10;     // there at the start; refilled by one each second
  static constexpr double kMost = 100;   // that can be saved up

  explicit RetryBudget(Clock::time_point now = Clock::now()) : refilled_(now) {}

  void request() {
    const std::lock_guard lock(mutex_);
    balance_ = std::min(balance_ + kShare, kMost);
  }
  /// False: there is none left.
  bool take(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const std::chrono::duration<double> passed = now - refilled_;
    refilled_ = now;
    if (balance_ < kFew) balance_ = std::min(kFew, balance_ + passed.count());
    if (balance_ < 1) return false;
    balance_ -= 1;
    return true;
  }

 private:
  std::mutex mutex_;
  double balance_ = kFew;       // guarded by mutex_
  Clock::time_point refilled_;  // guarded by mutex_
};

}  // namespace lichen::model
