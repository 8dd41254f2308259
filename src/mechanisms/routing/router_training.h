// Training of routers, offline. The same examples, options and seed give the same file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/routing/router_file.h"
#include "mechanisms/routing/text_vectors.h"

namespace lichen::mechanisms {

/// What each model made of a prompt alone.
struct Example {
  std::string prompt;
  bool small_right = false;
  bool large_right = false;
  /// That `prefill` reads (prefill_features.h), or the embedding for `knn` of an embedder; else
  /// empty.
  std::vector<float> features = {};
};

struct TrainingOptions {
  RouterKind kind = RouterKind::linear;
  FeatureOptions features = {};
  /// Of the model whose embeddings the examples' features are, for `knn` (LocalModel::file_hash);
  /// empty: it reads the text.
  std::string embedder_hash = {};
  std::uint64_t seed = 1;  // kept in the file; `linear` and `mf` make no random choice
  std::stop_token stop = {};
  std::function<void(double)> progress = {};  // share that is done, 0 to 1; may be empty
};

/// `bad_request` where the examples cannot teach anything: fewer than kLeastExamples, or large is
/// nowhere right where small is wrong, or always, or where `prefill` lacks its features.
/// `cancelled` by the stop token.
Result<RouterFile> train_router(std::span<const Example> examples, const TrainingOptions& options);

inline constexpr std::size_t kLeastExamples = 20;

/// What the trainers of the kinds get.
struct TrainingSet {
  std::span<const Example> examples;
  std::vector<SparseVector> vectors = {};  // one for each
  TextWeights text = {};
};

}  // namespace lichen::mechanisms
