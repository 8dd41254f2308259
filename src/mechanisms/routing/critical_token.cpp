#include "mechanisms/routing/critical_token.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

double entropy(std::span<const float> logits) {
  return model::entropy(logits, model::log_sum_exp(logits));
}

/// How much likelier the likeliest token is than the next one.
double margin(std::span<const float> logits) {
  const std::vector<TokenProb> top = model::top_k(logits, 2, model::log_sum_exp(logits));
  if (top.empty()) return std::nan("");
  return std::exp(top[0].logprob) - (top.size() > 1 ? std::exp(top[1].logprob) : 0.0);
}

constexpr double kMostEntropy = 100;  // nats; of no vocabulary

constexpr Criterion kCriteria[] = {
    {"entropy", entropy, false, 0.4, kMostEntropy},
    {"margin", margin, true, 0.9, 1},
};

}  // namespace

std::span<const Criterion> criteria() { return kCriteria; }

Result<Token> CriticalGate::sample(std::span<const float> logits) {
  const double value = criterion_.of(logits);
  critical_ = !open_ && criterion_.critical(value, threshold_);
  ++rows_;
  critical_rows_ += critical_;
  if (std::isfinite(value)) {
    const double before = extreme_.value_or(value);
    extreme_ = criterion_.low_is_critical ? std::min(before, value) : std::max(before, value);
  }
  if (critical_ || sampler_ == nullptr) return model::argmax(logits);
  return sampler_->sample(logits);
}

}  // namespace lichen::mechanisms
