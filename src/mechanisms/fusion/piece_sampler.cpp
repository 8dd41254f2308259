#include "mechanisms/fusion/piece_sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lichen::mechanisms {
namespace {

std::uint64_t seed_of(const Sampling& sampling) {
  if (sampling.seed) return static_cast<std::uint64_t>(*sampling.seed);
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

PieceSampler::PieceSampler(const Sampling& sampling)
    : sampling_(sampling), engine_(seed_of(sampling)) {}

std::size_t PieceSampler::choose(std::span<const float> logprobs) {
  const double temperature = static_cast<double>(sampling_.temperature.value_or(0));
  if (!(temperature > 0)) {
    return static_cast<std::size_t>(std::ranges::max_element(logprobs) - logprobs.begin());
  }
  const std::size_t kept = keep(logprobs);
  std::vector<double> weights;
  const double most = static_cast<double>(logprobs[order_.front()]);
  for (std::size_t i = 0; i < kept; ++i) {
    weights.push_back(std::exp((static_cast<double>(logprobs[order_[i]]) - most) / temperature));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = static_cast<double>(engine_() >> 11) * 0x1p-53 * sum;
  for (std::size_t i = 0; i + 1 < kept; ++i) {
    left -= weights[i];
    if (left < 0) return order_[i];
  }
  return order_[kept - 1];
}

/// Sorts them; returns how many of the likeliest stand to choice.
std::size_t PieceSampler::keep(std::span<const float> logprobs) {
  order_.resize(logprobs.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
    return logprobs[a] > logprobs[b] || (logprobs[a] == logprobs[b] && a < b);
  });
  const double most = static_cast<double>(logprobs[order_.front()]);
  const auto relative = [&](std::size_t i) {
    return std::exp(static_cast<double>(logprobs[order_[i]]) - most);
  };
  std::size_t kept = order_.size();
  if (const int top_k = sampling_.top_k.value_or(0); top_k > 0) {
    kept = std::min(kept, static_cast<std::size_t>(top_k));
  }
  if (const auto top_p = static_cast<double>(sampling_.top_p.value_or(1)); top_p < 1) {
    double sum = 0;
    for (std::size_t i = 0; i < kept; ++i) sum += relative(i);
    double so_far = 0;
    for (std::size_t i = 0; i < kept; ++i) {
      so_far += relative(i);
      if (so_far >= top_p * sum) kept = i + 1;
    }
  }
  if (const auto min_p = static_cast<double>(sampling_.min_p.value_or(0)); min_p > 0) {
    std::size_t likely = 1;
    while (likely < kept && relative(likely) >= min_p) ++likely;
    kept = likely;
  }
  while (kept > 1 && relative(kept - 1) == 0) --kept;
  return kept;
}

}  // namespace lichen::mechanisms
