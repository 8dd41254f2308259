// The latest times of something, for their percentiles.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "lichen/turn.h"

namespace lichen::model {

/// Safe from any thread.
class RecentTimes {
 public:
  static constexpr std::size_t kKept = 128;
  static constexpr std::size_t kEnough = 20;  // fewer say too little

  void add(Clock::duration time) {
    const std::lock_guard lock(mutex_);
    times_[count_++ % kKept] = time;
  }
  /// The time that `percent` of them do not exceed; none while there are too few.
  std::optional<Clock::duration> percentile(int percent) const {
    std::vector<Clock::duration> sorted;
    {
      const std::lock_guard lock(mutex_);
      if (count_ < kEnough) return std::nullopt;
      sorted.assign(times_.begin(),
                    times_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, kKept)));
    }
    const auto rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
    const auto at =
        sorted.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::ranges::nth_element(sorted, at);
    return *at;
  }

 private:
  mutable std::mutex mutex_;
  std::array<Clock::duration, kKept> times_ = {};  // guarded by mutex_
  std::size_t count_ = 0;                          // guarded by mutex_
};

}  // namespace lichen::model
