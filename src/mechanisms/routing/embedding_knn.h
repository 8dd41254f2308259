// `knn` where a model has embedded the prompts: what became of those whose embeddings are nearest.
// An embedding is the mean of a language model's last hidden states (LocalModel::embed), and those
// lie in a narrow cone (Ethayarajh 2019, arXiv 1909.00512): so each of its numbers is standardized
// over the training prompts first.
#pragma once

#include <span>
#include <vector>

#include "mechanisms/routing/neighbours.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::mechanisms {

/// Safe to use from any thread.
class EmbeddingKnn {
 public:
  /// A file's tables: `mean` and `scale` of each number, and those of Neighbours.
  static Result<EmbeddingKnn> open(const RouterFile& file);

  std::size_t width() const { return mean_.size(); }
  /// As TextRouter::need. `embedding`: of that width.
  double need(std::span<const float> embedding) const;

 private:
  EmbeddingKnn(std::vector<float> mean, std::vector<float> scale, Neighbours neighbours)
      : mean_(std::move(mean)), scale_(std::move(scale)), neighbours_(std::move(neighbours)) {}

  std::vector<float> mean_;
  std::vector<float> scale_;  // 1 / standard deviation; 0: it never varied
  Neighbours neighbours_;
};

/// `bad_request` where the examples' features are not embeddings of one width.
Result<void> train_embedding_knn(RouterFile& file, std::span<const Example> examples);

}  // namespace lichen::mechanisms
