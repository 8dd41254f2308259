#include "mechanisms/fusion/linear.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace lichen::mechanisms {

void weighted_sum(std::span<const float* const> models, std::span<const double> weights,
                  std::span<float> out) {
  const float* first = models[0];
  float* const sum = out.data();
  const auto all = static_cast<float>(std::accumulate(weights.begin(), weights.end(), 0.0));
  for (std::size_t i = 0; i < out.size(); ++i) sum[i] = all * first[i];
  for (std::size_t m = 1; m < models.size(); ++m) {
    const float* other = models[m];
    const auto weight = static_cast<float>(weights[m]);
    for (std::size_t i = 0; i < out.size(); ++i) sum[i] += weight * (other[i] - first[i]);
  }
}

float largest_magnitude(std::span<const float> values) {
  // Of numbers without their sign, more bits are more; NaN has the most.
  constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & kMagnitude);
  }
  return std::bit_cast<float>(largest);
}

}  // namespace lichen::mechanisms
