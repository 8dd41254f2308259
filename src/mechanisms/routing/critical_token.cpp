#include "mechanisms/routing/critical_token.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lichen::mechanisms {
namespace {

double entropy_of(const Row& row, const TokenHead*) { return row.entropy; }
double margin_of(const Row& row, const TokenHead*) { return margin(row); }
double head_of(const Row& row, const TokenHead* head) {
  return head->probability(token_features(row));
}

constexpr double kMostEntropy = 100;  // nats; of no vocabulary

constexpr double kEntropies[] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,
                                 0.4,   0.5,  0.6,  0.8,  1,   1.25, 1.5, 2,    3};
constexpr double kMargins[] = {0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.925, 0.9, 0.85,
                               0.8,   0.7,   0.6,   0.5,  0.4,  0.3,  0.2,   0.1};
constexpr double kProbabilities[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15,
                                     0.2,   0.25,  0.3,   0.4,  0.5,  0.6,  0.7,   0.8, 0.9};

constexpr Criterion kCriteria[] = {
    {"entropy", {.entropy = true}, entropy_of, false, 0.4, kMostEntropy, kEntropies},
    {"margin", {.top_k = 2}, margin_of, true, 0.9, 1, kMargins},
    {kByHead, kTokenLook, head_of, false, 0.05, 1, kProbabilities},
};

}  // namespace

double Criterion::all_critical() const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return low_is_critical ? kInfinity : -kInfinity;
}

std::span<const Criterion> criteria() { return kCriteria; }

const Criterion* find_criterion(std::string_view name) {
  const auto found = std::ranges::find(kCriteria, name, &Criterion::name);
  return found == std::end(kCriteria) ? nullptr : &*found;
}

CriticalGate::CriticalGate(const CriticalRule& rule, const Want& want)
    : rule_(rule), want_(want), look_(want) {
  const Want& look = rule.criterion->look;
  look_.top_k = std::max(want.top_k, look.top_k);
  look_.entropy = want.entropy || look.entropy;
  look_.hidden = want.hidden || look.hidden;
  // The sampler has to wait until the row has been looked at, so it needs a copy of it.
  look_.sampler = nullptr;
  look_.logits = want.logits || want.sampler != nullptr;
  look_.logprob = true;
}

Result<bool> CriticalGate::critical(Row& row, bool whole) {
  const Criterion& criterion = *rule_.criterion;
  const double value = criterion.of(row, rule_.head.get());
  const bool critical = whole && criterion.critical(value, rule_.threshold);
  ++rows_;
  critical_rows_ += critical;
  if (std::isfinite(value)) {
    const double before = extreme_.value_or(value);
    extreme_ = criterion.low_is_critical ? std::min(before, value) : std::max(before, value);
  }
  if (critical) return true;
  if (Result<void> chosen = choose(row); !chosen) return std::unexpected(chosen.error());
  return false;
}

Result<void> CriticalGate::choose(Row& row) const {
  if (want_.sampler != nullptr) {
    const Result<Token> chosen = want_.sampler->sample(row.logits);
    if (!chosen) return std::unexpected(chosen.error());
    const auto logit = [&](Token token) { return row.logits[static_cast<std::size_t>(token)]; };
    row.logprob += logit(*chosen) - logit(row.token);
    row.token = *chosen;
  }
  row.top.resize(std::min(row.top.size(), static_cast<std::size_t>(want_.top_k)));
  if (!want_.logits) row.logits.clear();
  if (!want_.hidden) row.hidden.clear();
  return {};
}

}  // namespace lichen::mechanisms
