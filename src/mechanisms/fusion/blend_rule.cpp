#include "mechanisms/fusion/blend_rule.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lichen::mechanisms {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Heard {
  const float* logits;
  float shift;  // turns a logit into a log-probability; of a mean, the weight's logarithm is in it
  float weight;
};

/// Relative to the largest, so that choices which all find improbable keep their order.
float log_mean(std::span<const Heard> voices, std::size_t i) {
  float most = kNever;
  for (const Heard& voice : voices) most = std::max(most, voice.logits[i] + voice.shift);
  if (most == kNever) return kNever;
  float sum = 0;
  for (const Heard& voice : voices) sum += std::exp(voice.logits[i] + voice.shift - most);
  return most + std::log(sum);
}

float log_product(std::span<const Heard> voices, std::size_t i) {
  float sum = 0;
  for (const Heard& voice : voices) sum += voice.weight * (voice.logits[i] + voice.shift);
  return sum;
}

}  // namespace

void blend(BlendRule rule, std::span<const Voice> voices, std::vector<float>& out) {
  assert(!voices.empty());
  const bool mean = rule == BlendRule::mean;
  std::vector<Heard> heard;
  for (const Voice& voice : voices) {
    assert(voice.logits.size() == voices.front().logits.size());
    if (!(voice.weight > 0)) continue;
    const double shift = mean ? std::log(voice.weight) - voice.norm : -voice.norm;
    heard.push_back({.logits = voice.logits.data(),
                     .shift = static_cast<float>(shift),
                     .weight = static_cast<float>(voice.weight)});
  }
  out.resize(voices.front().logits.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = mean ? log_mean(heard, i) : log_product(heard, i);
  }
}

std::vector<double> blend_weights(std::span<const double> fixed,
                                  std::span<const double> entropies) {
  std::vector<double> weights(fixed.begin(), fixed.end());
  if (!entropies.empty()) {
    // Relative to the least, so that not all are 0 where all hesitate.
    const double least = std::ranges::min(entropies);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= std::exp(least - entropies[i]);
  }
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace lichen::mechanisms
