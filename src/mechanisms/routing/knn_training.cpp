#include "mechanisms/routing/knn_training.h"

#include <algorithm>
#include <cmath>

#include "mechanisms/routing/knn_router.h"
#include "mechanisms/routing/latent_space.h"
#include "mechanisms/routing/neighbours.h"

namespace lichen::mechanisms {
namespace {

/// Rows of `values`, each divided by the largest of its numbers, which the result holds: frequent
/// buckets have much smaller ones than rare ones, and a table of bytes has one scale.
std::vector<float> take_scales(std::vector<float>& values) {
  std::vector<float> scales;
  for (std::size_t start = 0; start < values.size(); start += kDirections) {
    const std::span row(&values[start], kDirections);
    float largest = 0;
    for (const float value : row) largest = std::max(largest, std::abs(value));
    scales.push_back(largest);
    if (largest > 0) {
      for (float& value : row) value /= largest;
    }
  }
  return scales;
}

}  // namespace

void train_knn(RouterFile& file, const TrainingSet& set, const TrainingOptions& options) {
  const int bits = set.text.options.hash_bits;
  std::vector<SparseVector> rows;
  rows.reserve(set.vectors.size());
  for (const SparseVector& vector : set.vectors) rows.push_back(PromptSpace::folded(vector, bits));
  std::vector<float> directions =
      latent_directions(rows, {.columns = PromptSpace::folded_buckets(bits),
                               .width = kDirections,
                               .seed = options.seed,
                               .stop = options.stop});
  const PromptSpace space(bits, directions);
  std::vector<float> points;
  for (const std::size_t place : chosen_points(set.vectors.size())) {
    std::ranges::copy(space.point(set.vectors[place]), std::back_inserter(points));
  }
  file.tables.push_back({.name = "bucket_scales", .values = take_scales(directions)});
  file.tables.push_back({.name = "bucket_directions",
                         .encoding = Table::Encoding::i8,
                         .values = std::move(directions)});
  add_neighbours(file, set.examples, std::move(points));
}

}  // namespace lichen::mechanisms
