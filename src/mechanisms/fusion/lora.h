// A LoRA adapter's share of a matrix (Hu et al., arXiv 2106.09685).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lichen::mechanisms {

/// scale * left * right: `left` has a row of `rank` numbers for each row of the matrix, `right` has
/// `rank` rows as long as the matrix's.
struct LowRank {
  std::vector<float> left, right;
  std::size_t rank = 0;
  double scale = 1;
};

/// Adds the product's row `index` to `row`.
void add_low_rank(const LowRank& product, std::size_t index, std::span<float> row);

}  // namespace lichen::mechanisms
