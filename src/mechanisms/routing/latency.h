// How long something takes, learned while it is done: a part of a plan keeps one for each of its
// operands.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

namespace lichen::mechanisms {

/// Quantiles of the latest times, so that what has changed is forgotten. Safe to use from any
/// thread.
class Latency {
 public:
  using Duration = std::chrono::duration<double, std::milli>;
  static constexpr std::size_t kRemembered = 128;
  static constexpr std::size_t kLeast = 8;  // fewer tell nothing

  void add(Duration time);
  /// The smallest time that at least the share `q` (0 to 1) of the times does not exceed. None
  /// before there are kLeast.
  std::optional<Duration> quantile(double q) const;

 private:
  mutable std::mutex mutex_;
  std::array<Duration, kRemembered> times_ = {};  // guarded by mutex_; the oldest is replaced
  std::size_t count_ = 0;                         // guarded by mutex_; of all that were added
};

}  // namespace lichen::mechanisms
