// How sure a model was of its answer, by the log-probabilities of the answer's tokens. To add one:
// a row in confidence.cpp, its test, its line in docs/plans.md.
#pragma once

#include <span>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

struct Confidence {
  std::string_view name;   // as a plan has it
  std::string_view words;  // for receipts: "mean log-prob"
  /// Natural logarithms, 0 being certain. `tokens` is not empty. NaN where a token's is.
  double (*of)(std::span<const AnswerToken> tokens);
};

/// The first one is the default.
std::span<const Confidence> confidences();

}  // namespace lichen::mechanisms
