#include "mechanisms/routing/text_vectors.h"

#include <algorithm>
#include <cmath>

namespace lichen::mechanisms {
namespace {

/// Standardized numbers weigh this much against the n-grams' part of length 1.
constexpr float kSurfaceWeight = 0.1F;
constexpr float kMostDeviations = 5;  // further out counts as this far
/// A bucket of a single training text tells its outcome, not its topic.
constexpr float kLeastTexts = 2;

}  // namespace

TextWeights learn_text_weights(std::span<const TextFeatures> texts, const FeatureOptions& options) {
  TextWeights weights{.options = options,
                      .rarity = std::vector<float>(std::size_t{1} << options.hash_bits),
                      .surface_mean = std::vector<float>(kSurfaceFeatures),
                      .surface_scale = std::vector<float>(kSurfaceFeatures)};
  const auto n = static_cast<double>(texts.size());
  for (const TextFeatures& text : texts) {
    for (const BucketCount& hit : text.ngrams) ++weights.rarity[hit.bucket];
  }
  for (float& rarity : weights.rarity) {
    rarity = rarity < kLeastTexts ? 0 : static_cast<float>(std::log((n + 1) / (rarity + 1)) + 1);
  }
  for (std::size_t i = 0; i < kSurfaceFeatures; ++i) {
    double sum = 0, squares = 0;
    for (const TextFeatures& text : texts) {
      sum += text.surface[i];
      squares += static_cast<double>(text.surface[i]) * text.surface[i];
    }
    const double mean = sum / n;
    const double variance = squares / n - mean * mean;
    weights.surface_mean[i] = static_cast<float>(mean);
    weights.surface_scale[i] = variance > 1e-9 ? static_cast<float>(1 / std::sqrt(variance)) : 0;
  }
  return weights;
}

SparseVector text_vector(const TextFeatures& features, const TextWeights& weights) {
  SparseVector vector;
  vector.reserve(features.ngrams.size() + kSurfaceFeatures);
  double squares = 0;
  for (const BucketCount& hit : features.ngrams) {
    const float rarity = weights.rarity[hit.bucket];
    if (rarity <= 0) continue;
    const float value = hit.count == 1 ? rarity : (1 + std::log(hit.count)) * rarity;
    squares += static_cast<double>(value) * value;
    vector.push_back({hit.bucket, value});
  }
  if (squares > 0) {
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (Entry& entry : vector) entry.value *= scale;
  }
  const auto buckets = static_cast<std::uint32_t>(weights.rarity.size());
  for (std::uint32_t i = 0; i < kSurfaceFeatures; ++i) {
    const float deviations =
        (features.surface[i] - weights.surface_mean[i]) * weights.surface_scale[i];
    vector.push_back(
        {buckets + i, kSurfaceWeight * std::clamp(deviations, -kMostDeviations, kMostDeviations)});
  }
  return vector;
}

}  // namespace lichen::mechanisms
