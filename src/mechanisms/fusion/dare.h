// DARE: drop elements of a task vector at random and rescale the others, which keeps its mean (Yu
// et al., arXiv 2311.03099).
#pragma once

#include <cstdint>
#include <span>

#include "mechanisms/fusion/philox.h"

namespace lichen::mechanisms {

/// A random word below this keeps an element that is kept with `probability`.
std::uint64_t keeping_bound(double probability);

/// Each element is kept with the probability `density`, and then divided by it. `words` are random,
/// one for each.
void drop_and_rescale(std::span<float> deltas, double density,
                      std::span<const std::uint32_t> words);

}  // namespace lichen::mechanisms
