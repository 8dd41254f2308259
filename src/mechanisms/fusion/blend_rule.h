// The arithmetic of `blend`: one distribution out of several over the same choices. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lichen::mechanisms {

enum class BlendRule : std::uint8_t {
  mean,     // of the probabilities: sum(w * p), a linear opinion pool
  product,  // of the probabilities' powers: prod(p ^ w), a logarithmic opinion pool
};

/// What one model says of each choice, and how much that counts.
struct Voice {
  std::span<const float> logits;  // of each choice; the same number in all voices
  double norm = 0;                // their log_sum_exp
  double weight = 0;              // of all voices 1 in sum; 0 is not heard at all
};

/// Log-probabilities of the blend into `out`, of a product but for a constant. -inf: a choice that
/// cannot be made. No logit may be NaN.
void blend(BlendRule rule, std::span<const Voice> voices, std::vector<float>& out);

/// Weights of 1 in sum, in proportion to `fixed` and, where `entropies` (nats) are given, to the
/// inverse perplexity exp(-entropy) of each model's distribution: who hesitates between n tokens
/// counts an n-th. Unlike the inverse of an entropy it has no pole where a model is certain.
std::vector<double> blend_weights(std::span<const double> fixed,
                                  std::span<const double> entropies = {});

}  // namespace lichen::mechanisms
