// Arithmetic over a row of logits: one float for each token of the vocabulary. A NaN counts as a
// token that cannot be chosen, as does -inf. Pure functions, safe from any thread, cannot fail.
#pragma once

#include <span>
#include <vector>

#include "lichen/session.h"

namespace lichen::model {

/// The token with the largest logit, the lowest one on ties; 0 when no logit is a number, -1 for
/// an empty row.
Token argmax(std::span<const float> logits);

/// ln(sum(exp(logits))), so that `logit - log_sum_exp` is a log-probability. Stable for any range
/// of logits; relative error of the sum below 1e-6. -inf when nothing can be chosen, +inf when a
/// logit is.
double log_sum_exp(std::span<const float> logits);

/// Entropy of the row's distribution in nats; 0 when nothing can be chosen. `lse` is the row's
/// log_sum_exp.
double entropy(std::span<const float> logits, double lse);

/// The k likeliest tokens, likeliest first, the lower token first on ties. Tokens that cannot be
/// chosen are left out, so there may be fewer than k. `lse` is the row's log_sum_exp.
std::vector<TokenProb> top_k(std::span<const float> logits, int k, double lse);

}  // namespace lichen::model
