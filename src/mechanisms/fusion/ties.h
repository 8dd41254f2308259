// TIES: trim, elect sign, disjoint merge (Yadav et al., arXiv 2306.01708).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lichen::mechanisms {

/// Finds the magnitude that a given number of a tensor's elements reach, in two passes over them
/// and without keeping any: a float's bits without its sign are in order, so the first pass counts
/// by their upper half and the second, where the first has ended, by the lower. Counts of
/// disjoint parts add up.
class MagnitudeCounts {
 public:
  MagnitudeCounts() : counts_(kBuckets) {}

  void count_upper(std::span<const float> values);
  /// Only those whose upper half is `upper`.
  void count_lower(std::span<const float> values, std::uint32_t upper);
  void operator+=(const MagnitudeCounts& other);
  void clear();

  struct Place {
    std::uint32_t bucket = 0;
    std::uint64_t within = 1;  // the how many largest in the bucket
  };
  /// Where the `nth` largest lies, from 1; there must be so many.
  Place find(std::uint64_t nth) const;

  static float magnitude(std::uint32_t upper, std::uint32_t lower);

 private:
  static constexpr std::uint32_t kLowerBits = 15, kBuckets = 1u << 16;

  std::vector<std::uint64_t> counts_;
};

/// How many elements of `elements` are kept: at least one.
std::uint64_t kept_elements(std::uint64_t elements, double density);

/// Sets to 0 what is smaller in magnitude than `least`.
void trim(std::span<float> deltas, float least);

/// For each element the sign of the weighted sum is elected, and those that have it are averaged:
/// out = base + lambda * sum(weights * deltas) / sum(weights), over them; without `mean` the sum is
/// not divided. Weights that are to be averaged must not be negative.
struct Election {
  std::span<const double> weights;
  double lambda = 1;
  bool mean = true;
};
void elect_and_merge(std::span<const float> base, std::span<const float* const> deltas,
                     const Election& election, std::span<float> out);

}  // namespace lichen::mechanisms
