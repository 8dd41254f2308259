// Latent semantic analysis (Deerwester et al. 1990, JASIS 41): the few directions in which texts
// differ most, so that two questions on one topic are near each other without sharing a word.
// Computed by a randomized singular value decomposition (Halko, Martinsson, Tropp 2011, SIAM Review
// 53, algorithm 4.4), of the training texts alone; outcomes are not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "mechanisms/routing/text_vectors.h"

namespace lichen::mechanisms {

struct LatentOptions {
  std::size_t columns = 0;  // of the matrix whose rows the vectors are; indices beyond are ignored
  std::size_t width = 0;    // directions wanted
  std::uint64_t seed = 1;   // of the random start
  std::stop_token stop = {};
};

/// `columns` rows of `width` numbers: the strongest right singular vectors, the strongest last.
/// Directions beyond the matrix's rank are zero. When stopped, what is there by then.
std::vector<float> latent_directions(std::span<const SparseVector> rows,
                                     const LatentOptions& options);

}  // namespace lichen::mechanisms
