#include "mechanisms/fusion/lora.h"

namespace lichen::mechanisms {

void add_low_rank(const LowRank& product, std::size_t index, std::span<float> row) {
  for (std::size_t r = 0; r < product.rank; ++r) {
    const auto factor = static_cast<float>(product.scale * product.left[index * product.rank + r]);
    if (factor == 0) continue;
    const float* const right = product.right.data() + r * row.size();
    float* const values = row.data();
    for (std::size_t i = 0; i < row.size(); ++i) values[i] += factor * right[i];
  }
}

}  // namespace lichen::mechanisms
