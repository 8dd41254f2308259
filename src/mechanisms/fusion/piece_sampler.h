// Chooses among the few pieces that several models propose: what the sampler of a model is to its
// vocabulary.
#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "lichen/request.h"

namespace lichen::mechanisms {

/// Knows temperature, top_k, top_p, min_p and seed, in the order in which a model's sampler applies
/// them; without a temperature it takes the likeliest. Serves one answer.
class PieceSampler {
 public:
  explicit PieceSampler(const Sampling& sampling);
  /// The place of the chosen one. One at least is not -inf, and none is NaN.
  std::size_t choose(std::span<const float> logprobs);

 private:
  std::size_t keep(std::span<const float> logprobs);

  const Sampling sampling_;
  std::mt19937_64 engine_;
  std::vector<std::size_t> order_;  // the likeliest first
};

}  // namespace lichen::mechanisms
