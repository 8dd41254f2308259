// Sums of counts that somebody else reports, who may report anything.
#pragma once

#include <cstdint>
#include <limits>

namespace lichen::base {

/// Stays at the limit instead of overflowing.
inline void increase(std::int64_t& sum, std::int64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) {
    sum = value < 0 ? std::numeric_limits<std::int64_t>::min()
                    : std::numeric_limits<std::int64_t>::max();
  }
}

}  // namespace lichen::base
