#include "mechanisms/routing/latency.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace lichen::mechanisms {

void Latency::add(Duration time) {
  std::lock_guard lock(mutex_);
  times_[count_++ % kRemembered] = time;
}

std::optional<Latency::Duration> Latency::quantile(double q) const {
  assert(q >= 0 && q <= 1);
  std::lock_guard lock(mutex_);
  if (count_ < kLeast) return std::nullopt;
  auto times = times_;
  const std::size_t n = std::min(count_, kRemembered);
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(n)));
  const auto wanted = times.begin() + static_cast<std::ptrdiff_t>(rank == 0 ? 0 : rank - 1);
  std::nth_element(times.begin(), wanted, times.begin() + static_cast<std::ptrdiff_t>(n));
  return *wanted;
}

}  // namespace lichen::mechanisms
