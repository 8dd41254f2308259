#include "mechanisms/fusion/dare.h"

#include <cstddef>

namespace lichen::mechanisms {

std::uint64_t keeping_bound(double probability) {
  return static_cast<std::uint64_t>(probability * 0x1p32 + 0.5);
}

void drop_and_rescale(std::span<float> deltas, double density,
                      std::span<const std::uint32_t> words) {
  const std::uint64_t bound = keeping_bound(density);
  const auto scale = static_cast<float>(1 / density);
  float* const values = deltas.data();
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    values[i] = words[i] < bound ? values[i] * scale : 0.0F;
  }
}

}  // namespace lichen::mechanisms
