#include "mechanisms/auxiliary/logit_rules.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lichen::mechanisms {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

float number_or_never(float value) { return value > kNever && value < -kNever ? value : kNever; }

}  // namespace

void contrast(std::span<const float> expert, std::span<const float> amateur, double alpha,
              double beta, std::vector<float>& out) {
  assert(expert.size() == amateur.size());
  out.resize(expert.size());
  float most = kNever;
  for (const float logit : expert) most = logit > most ? logit : most;
  const float least = most + static_cast<float>(std::log(alpha));
  const auto strength = static_cast<float>(beta);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = expert[i] >= least ? expert[i] + strength * (expert[i] - amateur[i]) : kNever;
    // What the amateur rules out, the expert may still say.
    if (out[i] == -kNever) out[i] = expert[i];
    out[i] = number_or_never(out[i]);
  }
}

void proxy_tune(std::span<const float> large, std::span<const float> tuned,
                std::span<const float> base, double strength, std::vector<float>& out) {
  assert(large.size() == tuned.size() && large.size() == base.size());
  out.resize(large.size());
  const auto by = static_cast<float>(strength);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = number_or_never(large[i] + by * (tuned[i] - base[i]));
  }
}

}  // namespace lichen::mechanisms
