#include "mechanisms/fusion/ties.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>

namespace lichen::mechanisms {

namespace {

std::uint32_t magnitude_bits(float value) {
  return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFF;
}

}  // namespace

void MagnitudeCounts::count_upper(std::span<const float> values) {
  std::uint64_t* const counts = counts_.data();
  for (const float value : values) ++counts[magnitude_bits(value) >> kLowerBits];
}

void MagnitudeCounts::count_lower(std::span<const float> values, std::uint32_t upper) {
  constexpr std::uint32_t kLower = (1u << kLowerBits) - 1;
  std::uint64_t* const counts = counts_.data();
  for (const float value : values) {
    const std::uint32_t bits = magnitude_bits(value);
    if (bits >> kLowerBits == upper) ++counts[bits & kLower];
  }
}

void MagnitudeCounts::operator+=(const MagnitudeCounts& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

void MagnitudeCounts::clear() { std::ranges::fill(counts_, 0); }

MagnitudeCounts::Place MagnitudeCounts::find(std::uint64_t nth) const {
  std::uint32_t bucket = kBuckets - 1;
  while (bucket > 0 && counts_[bucket] < nth) nth -= counts_[bucket--];
  return {bucket, nth};
}

float MagnitudeCounts::magnitude(std::uint32_t upper, std::uint32_t lower) {
  return std::bit_cast<float>(upper << kLowerBits | lower);
}

std::uint64_t kept_elements(std::uint64_t elements, double density) {
  const auto kept = static_cast<std::uint64_t>(density * static_cast<double>(elements));
  return std::clamp<std::uint64_t>(kept, 1, elements);
}

void trim(std::span<float> deltas, float least) {
  for (float& delta : deltas) delta = std::abs(delta) >= least ? delta : 0.0F;
}

void elect_and_merge(std::span<const float> base, std::span<const float* const> deltas,
                     const Election& election, std::span<float> out) {
  // A few elements at a time, models outermost: sums stay in the first-level cache and the loops
  // become vectors.
  constexpr std::size_t kStrip = 512;
  std::array<float, kStrip> total, agreeing, weight_sum;
  const auto lambda = static_cast<float>(election.lambda);
  for (std::size_t begin = 0; begin < out.size(); begin += kStrip) {
    const std::size_t n = std::min(kStrip, out.size() - begin);
    std::fill_n(total.begin(), n, 0.0F);
    std::fill_n(agreeing.begin(), n, 0.0F);
    std::fill_n(weight_sum.begin(), n, 0.0F);
    for (std::size_t m = 0; m < deltas.size(); ++m) {
      const float* const delta = deltas[m] + begin;
      const auto weight = static_cast<float>(election.weights[m]);
      for (std::size_t i = 0; i < n; ++i) total[i] += weight * delta[i];
    }
    for (std::size_t m = 0; m < deltas.size(); ++m) {
      const float* const delta = deltas[m] + begin;
      const auto weight = static_cast<float>(election.weights[m]);
      for (std::size_t i = 0; i < n; ++i) {
        const float weighted = weight * delta[i];
        const bool agrees = (weighted > 0) == (total[i] >= 0) && weighted != 0;
        agreeing[i] += agrees ? weighted : 0.0F;
        weight_sum[i] += agrees ? weight : 0.0F;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      const bool divide = election.mean && weight_sum[i] != 0;
      out[begin + i] = base[begin + i] + lambda * agreeing[i] / (divide ? weight_sum[i] : 1.0F);
    }
  }
}

}  // namespace lichen::mechanisms
