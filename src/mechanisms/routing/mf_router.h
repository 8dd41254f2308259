// `mf`: matrix factorization, as in RouteLLM (Ong et al. 2024, arXiv 2406.18665, section 4.2). A
// prompt's vector is projected to a few factors; each model has a vector of as many, and their
// inner product says how likely the model is right. So what is learned of a prompt from one model's
// outcome tells of the other's too. Theirs is trained on which of many models wins; here there are
// two models whose answers are each right or wrong, and for two a rank of two loses nothing.
#pragma once

#include <array>
#include <memory>

#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {

inline constexpr std::size_t kFactors = 2;
using Factors = std::array<double, kFactors>;

struct ModelFactors {
  Factors factors = {};
  double bias = 0;

  /// That the model is right on a prompt with these factors.
  double probability(const Factors& prompt) const;
};

struct MfModel {
  std::vector<float> prompt_factors = {};  // kFactors for each dimension of a text's vector
  ModelFactors small = {};
  ModelFactors large = {};

  double need(const SparseVector& vector) const;
};

/// A file's tables: `prompt_factors`, and `factors` and `right_bias` of `small` and `large`.
Result<std::unique_ptr<VectorRouter>> make_mf_router(const RouterFile& file);

}  // namespace lichen::mechanisms
