#include "mechanisms/auxiliary/draft_sampler.h"

#include <algorithm>
#include <cmath>

#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

/// Tokens that a guess is drawn from: what lies beyond has hardly any probability.
constexpr int kDrawn = 32;
/// Tokens among which there is nearly always one that the target has, too.
constexpr int kLooked = 8;

int looked_at(double temperature, const Sampling& sampling, bool all_shared) {
  if (temperature <= 0) return all_shared ? 1 : kLooked;
  const int top_k = sampling.top_k.value_or(0);
  return top_k > 0 ? std::min(top_k, kDrawn) : kDrawn;
}

}  // namespace

DraftSampler::DraftSampler(const Sampling& sampling, const SharedTokens* shared)
    : sampling_(sampling),
      shared_(shared),
      temperature_(static_cast<double>(sampling.temperature.value_or(0))),
      random_(static_cast<std::uint64_t>(sampling.seed.value_or(0)) ^ 0x9E3779B97F4A7C15U) {}

/// top-p and min-p, in the order of the target's own chain.
void DraftSampler::filter(std::vector<TokenProb>& tokens) const {
  const double top_p = static_cast<double>(sampling_.top_p.value_or(1));
  const double min_p = static_cast<double>(sampling_.min_p.value_or(0));
  const double most = std::exp(static_cast<double>(tokens.front().logprob));
  double sum = 0;
  std::size_t keep = 0;
  for (; keep < tokens.size(); ++keep) {
    const double p = std::exp(static_cast<double>(tokens[keep].logprob));
    if (keep > 0 && (sum >= top_p || p < min_p * most)) break;
    sum += p;
  }
  tokens.resize(keep);
}

Result<Token> DraftSampler::sample(std::span<const float> logits) {
  guess_.reset();
  std::vector<TokenProb> tokens = model::top_k(
      logits, looked_at(temperature_, sampling_, shared_ == nullptr), model::log_sum_exp(logits));
  if (shared_ != nullptr) {
    std::erase_if(tokens, [&](const TokenProb& each) { return shared_->target(each.token) < 0; });
  }
  if (tokens.empty()) return model::argmax(logits);
  auto known = [&](Token token) { return shared_ == nullptr ? token : shared_->target(token); };
  if (temperature_ <= 0) {
    const TokenProb& best = tokens.front();
    guess_ = {.token = known(best.token),
              .confidence = std::exp(static_cast<double>(best.logprob))};
    return best.token;
  }
  filter(tokens);
  std::vector<TokenOdds> odds;
  double sum = 0;
  const float most = tokens.front().logprob;
  for (const TokenProb& each : tokens) {
    const double weight = std::exp(static_cast<double>(each.logprob - most) / temperature_);
    odds.push_back({known(each.token), static_cast<float>(weight)});
    sum += weight;
  }
  for (TokenOdds& each : odds) each.probability /= static_cast<float>(sum);
  double left = static_cast<double>(random_() >> 11) * 0x1p-53;
  std::size_t chosen = 0;
  for (; chosen + 1 < odds.size(); ++chosen) {
    left -= static_cast<double>(odds[chosen].probability);
    if (left < 0) break;
  }
  guess_ = {.token = odds[chosen].token,
            .confidence = static_cast<double>(odds[chosen].probability),
            .odds = std::move(odds)};
  return tokens[chosen].token;
}

Result<Token> DraftCheck::sample(std::span<const float> logits) {
  if (next_ == guesses_.size()) return target_.sample(logits);
  const Guess& guess = guesses_[next_++];
  return target_.sample(logits, {.token = guess.token, .odds = guess.odds});
}

}  // namespace lichen::mechanisms
