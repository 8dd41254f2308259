// `knn`: what became of the training prompts that are nearest to this one. The n-grams are
// projected to a few latent directions (latent_space.h), the surface's numbers are put beside them,
// and the neighbours vote (neighbours.h). Over a model's embeddings: embedding_knn.h.
#pragma once

#include <memory>

#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {

/// N-grams' buckets are folded into 2^kFoldedBits, so that the file stays small.
inline constexpr int kFoldedBits = 15;
inline constexpr std::size_t kDirections = 64;
inline constexpr std::size_t kPointWidth = kDirections + kSurfaceFeatures;

/// Where a text lies among others: kPointWidth numbers, of length 1 unless all are 0.
class PromptSpace {
 public:
  /// `directions`: for each folded bucket kDirections numbers.
  PromptSpace(int hash_bits, std::vector<float> directions);

  std::vector<float> point(const SparseVector& vector) const;
  /// How many buckets there are after folding.
  static std::size_t folded_buckets(int hash_bits);
  /// The vector with its buckets folded; the surface's numbers are left out.
  static SparseVector folded(const SparseVector& vector, int hash_bits);

 private:
  const int hash_bits_;
  const std::vector<float> directions_;
};

/// A file's tables: `bucket_scales` and `bucket_directions` make the space, those of Neighbours lie
/// in it.
Result<std::unique_ptr<VectorRouter>> make_knn_router(const RouterFile& file);

}  // namespace lichen::mechanisms
