// Weighted vectors of texts: counts are damped (1 + ln n) and weighted by how rare a bucket is over
// the training texts (tf-idf with sublinear counts; Manning, Raghavan, Schuetze 2008, section 6.4),
// then scaled to length 1; the surface's numbers are standardized.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {

struct Entry {
  std::uint32_t index = 0;
  float value = 0;
};
using SparseVector = std::vector<Entry>;  // by growing index, each once

/// What is learned about texts without looking at outcomes. A value; safe to read from any thread.
struct TextWeights {
  FeatureOptions options = {};
  std::vector<float> rarity = {};         // of each bucket; 0: no training text had it
  std::vector<float> surface_mean = {};   // kSurfaceFeatures each
  std::vector<float> surface_scale = {};  // 1 / standard deviation; 0: it never varied
};

TextWeights learn_text_weights(std::span<const TextFeatures> texts, const FeatureOptions& options);

/// Buckets, then the surface's numbers.
inline std::size_t dimensions(const FeatureOptions& options) {
  return (std::size_t{1} << options.hash_bits) + kSurfaceFeatures;
}

/// Indices are under `dimensions`, values finite. The n-grams' part has length 1, or is empty.
SparseVector text_vector(const TextFeatures& features, const TextWeights& weights);

}  // namespace lichen::mechanisms
