#include "mechanisms/policy/prompt_sketch.h"

#include <algorithm>
#include <cmath>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

constexpr FeatureOptions kFeatures{.hash_bits = kMaxHashBits, .word_ngrams = 2};

/// What each of the surface's numbers is divided by, in their order (text_features.cpp).
constexpr std::array<float, kSurfaceFeatures> kScales = {10,   7,    7,    7,    3,  3, 0.3F, 0.3F,
                                                         0.3F, 0.3F, 0.3F, 0.3F, 10, 4, 1,    1};
constexpr float kMost = 2;

constexpr float kConstant = 3;
constexpr float kSurfaceSize = 0.1F;
constexpr double kHashedLength = 0.2;

}  // namespace

Sketch sketch_of(std::string_view prompt) {
  const TextFeatures features = text_features(prompt, kFeatures);
  Sketch sketch{};
  sketch[0] = kConstant;
  for (std::size_t i = 0; i < kSurfaceFeatures; ++i) {
    sketch[1 + i] = kSurfaceSize * std::clamp(features.surface[i] / kScales[i], -kMost, kMost);
  }
  std::array<double, kHashedNumbers> hashed{};
  for (const BucketCount& hit : features.ngrams) {
    const std::uint64_t hash = mixed(hit.bucket);
    const double value = 1 + std::log(hit.count);
    hashed[(hash >> 1) % kHashedNumbers] += (hash & 1) != 0 ? value : -value;
  }
  double squares = 0;
  for (const double number : hashed) squares += number * number;
  const double scale = squares > 0 ? kHashedLength / std::sqrt(squares) : 0;
  std::ranges::transform(hashed, sketch.begin() + 1 + kSurfaceFeatures,
                         [scale](double number) { return static_cast<float>(number * scale); });
  return sketch;
}

}  // namespace lichen::mechanisms
