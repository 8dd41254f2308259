#include "mechanisms/routing/knn_router.h"

#include <algorithm>
#include <utility>

#include "mechanisms/routing/neighbours.h"

namespace lichen::mechanisms {
namespace {

// Changing this changes what the files of routers mean: that takes a new version of them.
constexpr float kSurfaceWeight = 2;  // against their weight beside n-grams in `text_vector`

class KnnRouter : public VectorRouter {
 public:
  KnnRouter(PromptSpace space, Neighbours neighbours)
      : space_(std::move(space)), neighbours_(std::move(neighbours)) {}

  double need(const SparseVector& vector) const override {
    return neighbours_.need(space_.point(vector));
  }

 private:
  const PromptSpace space_;
  const Neighbours neighbours_;
};

}  // namespace

PromptSpace::PromptSpace(int hash_bits, std::vector<float> directions)
    : hash_bits_(hash_bits), directions_(std::move(directions)) {}

std::size_t PromptSpace::folded_buckets(int hash_bits) {
  return std::size_t{1} << std::min(hash_bits, kFoldedBits);
}

SparseVector PromptSpace::folded(const SparseVector& vector, int hash_bits) {
  const std::uint32_t buckets = std::uint32_t{1} << hash_bits;
  const int shift = std::max(0, hash_bits - kFoldedBits);
  SparseVector folded;
  folded.reserve(vector.size());
  for (const Entry& entry : vector) {
    if (entry.index < buckets) folded.push_back({entry.index >> shift, entry.value});
  }
  return folded;
}

std::vector<float> PromptSpace::point(const SparseVector& vector) const {
  std::vector<float> point(kPointWidth);
  for (const Entry& entry : folded(vector, hash_bits_)) {
    const float* direction = &directions_[entry.index * kDirections];
    for (std::size_t i = 0; i < kDirections; ++i) point[i] += entry.value * direction[i];
  }
  scale_to_one(std::span(point).first(kDirections));
  const std::uint32_t buckets = std::uint32_t{1} << hash_bits_;
  for (const Entry& entry : vector) {
    if (entry.index >= buckets) {
      point[kDirections + entry.index - buckets] = kSurfaceWeight * entry.value;
    }
  }
  scale_to_one(point);
  return point;
}

Result<std::unique_ptr<VectorRouter>> make_knn_router(const RouterFile& file) {
  const std::size_t buckets = PromptSpace::folded_buckets(file.features.hash_bits);
  const auto scales = file.values("bucket_scales", buckets);
  if (!scales) return std::unexpected(scales.error());
  auto directions = file.values("bucket_directions", buckets * kDirections);
  if (!directions) return std::unexpected(directions.error());
  auto neighbours = Neighbours::open(file, kPointWidth);
  if (!neighbours) return std::unexpected(neighbours.error());
  for (std::size_t i = 0; i < directions->size(); ++i) {
    (*directions)[i] *= (*scales)[i / kDirections];
  }
  return std::make_unique<KnnRouter>(PromptSpace(file.features.hash_bits, *std::move(directions)),
                                     *std::move(neighbours));
}

}  // namespace lichen::mechanisms
