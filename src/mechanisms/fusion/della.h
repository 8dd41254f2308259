// DELLA's MagPrune: as DARE, but within a row (the weights of one neuron) what is larger is kept
// with a higher probability (Deep et al., arXiv 2406.11617, section 3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lichen::mechanisms {

/// A value per thread; allocates only for rows longer than any before.
class MagPrune {
 public:
  /// The smallest element of the row is kept with the probability density - epsilon, the largest
  /// with density + epsilon, in equal steps by rank between (the paper's epsilon is twice this one,
  /// which is mergekit's). Both must be in (0, 1]. Kept elements are divided by their probability.
  /// `words` are random, one for each element.
  void apply(std::span<float> row, double density, double epsilon,
             std::span<const std::uint32_t> words);

 private:
  /// Indices of the row in `order_`, the smallest magnitude first, equal ones as they stand.
  void sort(std::span<const float> row);

  std::vector<std::uint64_t> order_, spare_;  // magnitude above, index below
};

}  // namespace lichen::mechanisms
