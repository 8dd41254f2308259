#include "mechanisms/routing/knn_router.h"

#include <hnswlib/hnswlib.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace lichen::mechanisms {
namespace {

// Changing one of these changes what the files of routers mean: that takes a new version of them.
constexpr std::size_t kNeighbours = 100;
constexpr float kPriorVotes = 5;      // for the mean of all
constexpr float kSurfaceWeight = 2;   // against their weight beside n-grams in `text_vector`
constexpr std::size_t kLinks = 8;     // of a point in the graph
constexpr std::size_t kBreadth = 80;  // of the search for them

void scale_to_one(std::span<float> numbers) {
  double squares = 0;
  for (const float number : numbers) squares += static_cast<double>(number) * number;
  if (squares <= 0) return;
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (float& number : numbers) number *= scale;
}

class KnnRouter : public VectorRouter {
 public:
  KnnRouter(PromptSpace space, const std::vector<float>& points, std::vector<float> outcomes)
      : space_(std::move(space)),
        outcomes_(std::move(outcomes)),
        mean_(std::reduce(outcomes_.begin(), outcomes_.end()) /
              static_cast<float>(outcomes_.size())),
        graph_(&metric_, outcomes_.size(), kLinks, kBreadth) {
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      graph_.addPoint(&points[i * kPointWidth], i);
    }
    graph_.setEf(kNeighbours);
  }

  double need(const SparseVector& vector) const override {
    const std::vector<float> point = space_.point(vector);
    auto nearest = graph_.searchKnn(point.data(), kNeighbours);
    float votes = kPriorVotes;
    float sum = kPriorVotes * mean_;
    for (; !nearest.empty(); nearest.pop()) {
      const auto& [distance, index] = nearest.top();
      const float cosine = std::clamp(1 - distance, 0.0F, 1.0F);
      const float vote = cosine * cosine * cosine * cosine;
      votes += vote;
      sum += vote * outcomes_[index];
    }
    return (1 + static_cast<double>(sum / votes)) / 2;
  }

 private:
  const PromptSpace space_;
  const std::vector<float> outcomes_;
  const float mean_;
  hnswlib::InnerProductSpace metric_{kPointWidth};
  hnswlib::HierarchicalNSW<float> graph_;
};

/// The graph is for points of length 1 (or 0), bytes' rounding allowed for.
Result<void> check(std::span<const float> points, std::span<const float> outcomes) {
  constexpr double kMostSquares = 1.1;
  for (std::size_t start = 0; start < points.size(); start += kPointWidth) {
    double squares = 0;
    for (const float x : points.subspan(start, kPointWidth)) squares += static_cast<double>(x) * x;
    if (squares > kMostSquares) return fail(Errc::bad_model, "has `points` longer than 1");
  }
  if (std::ranges::all_of(outcomes, [](float x) { return std::abs(x) <= 1.001F; })) return {};
  return fail(Errc::bad_model, "has `outcomes` beyond -1 and 1");
}

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
  const Table* outcomes = file.find("outcomes");
  const std::size_t count = outcomes == nullptr ? 0 : outcomes->values.size();
  if (count == 0 || count > kMostPoints) {
    return fail(Errc::bad_model,
                fmt::format("has {} `outcomes`; there must be 1 to {}", count, kMostPoints));
  }
  const auto points = file.values("points", count * kPointWidth);
  if (!points) return std::unexpected(points.error());
  if (auto good = check(*points, outcomes->values); !good) return std::unexpected(good.error());
  for (std::size_t i = 0; i < directions->size(); ++i) {
    (*directions)[i] *= (*scales)[i / kDirections];
  }
  return std::make_unique<KnnRouter>(PromptSpace(file.features.hash_bits, *std::move(directions)),
                                     *points, outcomes->values);
}

}  // namespace lichen::mechanisms
