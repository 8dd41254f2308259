// How sure a model was of its answer, by the log-probabilities of the answer's tokens: pure
// functions. "Chow-average" and "Chow-quantile" are of Gupta et al. 2024 (arXiv 2404.10136), margin
// and entropy the usual ones of active learning. To add one: a row in token_confidence.cpp, its
// test, its line in docs/plans.md.
#pragma once

#include <span>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

struct TokenConfidence {
  std::string_view name;   // as a plan has it
  std::string_view words;  // for receipts: "mean log-prob"
  /// Each token's own value, the larger the surer. NaN where the token's log-probabilities are no
  /// numbers, or too few.
  double (*of_token)(const AnswerToken& token);
  /// What the answer's value is: the tokens' mean, or the quantile that the plan asks for.
  enum class Over : std::uint8_t { mean, least, quantile } over = Over::quantile;
  double quantile = 0;   // where the plan says nothing; 0 is the least sure token
  int alternatives = 0;  // that each token must carry, itself among them
  double least = -20;    // thresholds go from here
  double most = 0;       // to here
  double usual = -0.25;  // the threshold where the plan says nothing
};

/// The first one is the default.
std::span<const TokenConfidence> token_confidences();

/// `tokens` is not empty; `quantile` is from 0 to 1. NaN where a token's value is.
double confidence_of(const TokenConfidence& confidence, std::span<const AnswerToken> tokens,
                     double quantile);

}  // namespace lichen::mechanisms
