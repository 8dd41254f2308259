#include "mechanisms/routing/token_confidence.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

namespace lichen::mechanisms {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
/// Endpoints differ in how many they give; five is what all of them do.
constexpr int kAlternatives = 5;

double logprob(const AnswerToken& token) { return token.logprob; }

/// Probability of the likeliest token less that of the second.
double margin(const AnswerToken& token) {
  if (token.top.size() < 2) return kNone;
  return std::exp(static_cast<double>(token.top[0].logprob)) -
         std::exp(static_cast<double>(token.top[1].logprob));
}

/// Minus the entropy in nats. What the alternatives leave over counts as one more token, so it is
/// a lower bound of the entropy.
double negentropy(const AnswerToken& token) {
  if (token.top.empty()) return kNone;
  double sum = 0, rest = 1;
  for (const TokenLogprob& other : token.top) {
    const double p = std::exp(static_cast<double>(other.logprob));
    if (p > 0 || std::isnan(p)) sum += p * other.logprob;
    rest -= p;
  }
  return rest > 0 ? sum + rest * std::log(rest) : sum;
}

using Over = TokenConfidence::Over;

constexpr TokenConfidence kConfidences[] = {
    {.name = "mean", .words = "mean log-prob", .of_token = logprob, .over = Over::mean},
    {.name = "min", .words = "least log-prob", .of_token = logprob, .over = Over::least},
    {.name = "quantile", .words = "log-prob quantile", .of_token = logprob, .quantile = 0.1},
    {.name = "margin",
     .words = "least margin",
     .of_token = margin,
     .alternatives = 2,
     .least = 0,
     .most = 1,
     .usual = 0.3},
    {.name = "entropy",
     .words = "minus the largest entropy",
     .of_token = negentropy,
     .alternatives = kAlternatives,
     .usual = -0.7}};

}  // namespace

std::span<const TokenConfidence> token_confidences() { return kConfidences; }

double confidence_of(const TokenConfidence& confidence, std::span<const AnswerToken> tokens,
                     double quantile) {
  assert(!tokens.empty() && quantile >= 0 && quantile <= 1);
  std::vector<double> values;
  values.reserve(tokens.size());
  double sum = 0;
  for (const AnswerToken& token : tokens) {
    values.push_back(confidence.of_token(token));
    sum += values.back();
  }
  if (std::isnan(sum)) return kNone;
  if (confidence.over == Over::mean) return sum / static_cast<double>(values.size());
  if (confidence.over == Over::least) return std::ranges::min(values);
  const auto rank = values.begin() +
                    static_cast<std::ptrdiff_t>(quantile * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, rank);
  return *rank;
}

}  // namespace lichen::mechanisms
