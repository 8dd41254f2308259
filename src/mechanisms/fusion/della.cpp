#include "mechanisms/fusion/della.h"

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include "mechanisms/fusion/dare.h"

namespace lichen::mechanisms {

void MagPrune::sort(std::span<const float> row) {
  constexpr int kDigitBits = 8, kDigits = 4, kIndexBits = 32;
  constexpr std::uint64_t kDigit = (1u << kDigitBits) - 1;
  std::array<std::array<std::uint32_t, kDigit + 1>, kDigits> counts{};
  order_.resize(row.size());
  spare_.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::uint64_t magnitude = std::bit_cast<std::uint32_t>(row[i]) & 0x7FFFFFFF;
    order_[i] = magnitude << kIndexBits | i;
    for (int d = 0; d < kDigits; ++d) ++counts[d][magnitude >> (d * kDigitBits) & kDigit];
  }
  for (int d = 0; d < kDigits; ++d) {
    std::uint32_t before = 0;
    for (std::uint32_t& count : counts[d]) before += std::exchange(count, before);
    for (const std::uint64_t entry : order_) {
      spare_[counts[d][entry >> (kIndexBits + d * kDigitBits) & kDigit]++] = entry;
    }
    order_.swap(spare_);
  }
}

void MagPrune::apply(std::span<float> row, double density, double epsilon,
                     std::span<const std::uint32_t> words) {
  sort(row);
  const auto last = static_cast<double>(row.size() - 1);
  for (std::size_t rank = 0; rank < order_.size(); ++rank) {
    const auto i = static_cast<std::uint32_t>(order_[rank]);
    // From -1 to 1.
    const double place = last > 0 ? 2 * static_cast<double>(rank) / last - 1 : 0;
    const double probability = density + epsilon * place;
    const bool kept = words[i] < keeping_bound(probability);
    row[i] = kept ? static_cast<float>(row[i] / probability) : 0.0F;
  }
}

}  // namespace lichen::mechanisms
