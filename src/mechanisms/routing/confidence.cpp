#include "mechanisms/routing/confidence.h"

#include <algorithm>
#include <cmath>

namespace lichen::mechanisms {
namespace {

double mean(std::span<const AnswerToken> tokens) {
  double sum = 0;
  for (const AnswerToken& token : tokens) sum += token.logprob;
  return sum / static_cast<double>(tokens.size());
}

double least(std::span<const AnswerToken> tokens) {
  double least = 0;
  for (const AnswerToken& token : tokens) {
    if (std::isnan(token.logprob)) return token.logprob;
    least = std::min<double>(least, token.logprob);
  }
  return least;
}

constexpr Confidence kConfidences[] = {{"mean", "mean log-prob", mean},
                                       {"min", "least log-prob", least}};

}  // namespace

std::span<const Confidence> confidences() { return kConfidences; }

}  // namespace lichen::mechanisms
