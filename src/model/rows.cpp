#include "model/rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace lichen::model {
namespace {

// Written for the vectorizer without -ffast-math, which would let it assume that there are no
// infinities and NaNs: every loop keeps one running value per lane, so nothing has to be
// reassociated. 64 lanes are four AVX-512 registers, enough to hide the latency of an addition.
constexpr std::size_t kLanes = 64;
// Lanes are folded into a double after each block: 16 float additions in a row at most.
constexpr std::size_t kBlock = 16 * kLanes;
// top_k looks closer only at groups whose largest logit is large enough.
constexpr std::size_t kGroup = 4 * kLanes;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The largest number among `n` logits, -inf if there is none. `n` is a multiple of kLanes.
float max_of_lanes(const float* logits, std::size_t n) {
  float best[kLanes];
  std::fill_n(best, kLanes, -kInfinity);
  for (std::size_t i = 0; i < n; i += kLanes) {
    // This order of operands drops a NaN, and is what one max instruction does.
    for (std::size_t j = 0; j < kLanes; ++j) {
      best[j] = logits[i + j] > best[j] ? logits[i + j] : best[j];
    }
  }
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t j = 0; j < width; ++j) {
      best[j] = best[j + width] > best[j] ? best[j + width] : best[j];
    }
  }
  return best[0];
}

float max_of(const float* logits, std::size_t n) {
  const std::size_t whole = n / kLanes * kLanes;
  float best = max_of_lanes(logits, whole);
  for (std::size_t i = whole; i < n; ++i) best = logits[i] > best ? logits[i] : best;
  return best;
}

/// exp(x) for x <= 0 to about one unit in the last place; exp(-87), 1.6e-38, for all that is
/// smaller and for NaN. exp(x) = 2^n * exp(r) with n = round(x / ln 2) and |r| <= ln(2) / 2, and
/// exp(r) by its Taylor polynomial of degree 7, whose error there is below 6e-9.
inline float exp_of_negative(float x) {
  constexpr float kLowest = -87;
  constexpr float kLog2E = 1.44269504F;
  // ln 2 in two parts; the first has few enough bits that n * kLn2High is exact.
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  // Adding 1.5 * 2^23 rounds to an integer, which then is in the low bits.
  constexpr float kRound = 12582912.0F;
  x = x > kLowest ? x : kLowest;
  const float shifted = x * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1;
  p = p * r + 1;
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) << 23;
  return p * std::bit_cast<float>(exponent + 0x3F80'0000U);
}

/// -p * ln p; nothing for what cannot be chosen.
inline float surprise(float log_p) {
  constexpr float kLowest = -87;
  const float bounded = log_p > kLowest ? log_p : kLowest;
  return -bounded * exp_of_negative(bounded);
}

/// sum(exp(logits - max)) over `n` logits, a multiple of kLanes and at most kBlock.
double sum_of_lanes(const float* logits, std::size_t n, float max) {
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += exp_of_negative(logits[i + j] - max);
  }
  double sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

/// -sum(p * ln p), ln p = logits - lse, over `n` logits, a multiple of kLanes and at most kBlock.
double entropy_of_lanes(const float* logits, std::size_t n, float lse) {
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += surprise(logits[i + j] - lse);
  }
  double sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

bool likelier(const TokenProb& a, const TokenProb& b) {
  return a.logprob > b.logprob || (a.logprob == b.logprob && a.token < b.token);
}

}  // namespace

Token argmax(std::span<const float> logits) {
  if (logits.empty()) return -1;
  float best = -kInfinity;
  std::size_t block = 0;  // the first one that holds the largest logit
  for (std::size_t i = 0; i < logits.size(); i += kBlock) {
    const float max = max_of(&logits[i], std::min(kBlock, logits.size() - i));
    if (max > best) {
      best = max;
      block = i;
    }
  }
  const auto found =
      std::find(logits.begin() + static_cast<std::ptrdiff_t>(block), logits.end(), best);
  return found == logits.end() ? 0 : static_cast<Token>(found - logits.begin());
}

double log_sum_exp(std::span<const float> logits) {
  const float max = max_of(logits.data(), logits.size());
  if (std::isinf(max)) return max;
  double sum = 0;
  std::size_t i = 0;
  while (i + kLanes <= logits.size()) {
    const std::size_t n = std::min(kBlock, (logits.size() - i) / kLanes * kLanes);
    sum += sum_of_lanes(&logits[i], n, max);
    i += n;
  }
  for (; i < logits.size(); ++i) sum += exp_of_negative(logits[i] - max);
  return max + std::log(sum);
}

double entropy(std::span<const float> logits, double lse) {
  if (std::isinf(lse)) return 0;
  const auto norm = static_cast<float>(lse);
  double sum = 0;
  std::size_t i = 0;
  while (i + kLanes <= logits.size()) {
    const std::size_t n = std::min(kBlock, (logits.size() - i) / kLanes * kLanes);
    sum += entropy_of_lanes(&logits[i], n, norm);
    i += n;
  }
  for (; i < logits.size(); ++i) sum += surprise(logits[i] - norm);
  return std::max(sum, 0.0);
}

std::vector<TokenProb> top_k(std::span<const float> logits, int k, double lse) {
  std::vector<TokenProb> top;  // a heap with the least likely in front; `logprob` is the logit yet
  if (k <= 0) return top;
  const std::size_t most = std::min(static_cast<std::size_t>(k), logits.size());
  top.reserve(most);
  float least = -kInfinity;  // what a logit must exceed
  for (std::size_t begin = 0; begin < logits.size(); begin += kGroup) {
    const std::size_t n = std::min(kGroup, logits.size() - begin);
    // Once the heap is full nearly all groups end here, at the price of a vectorized maximum.
    if (!(max_of(&logits[begin], n) > least)) continue;
    for (std::size_t i = begin; i < begin + n; ++i) {
      if (!(logits[i] > least)) continue;
      if (top.size() == most) {
        std::pop_heap(top.begin(), top.end(), likelier);
        top.pop_back();
      }
      top.push_back({static_cast<Token>(i), logits[i]});
      std::push_heap(top.begin(), top.end(), likelier);
      if (top.size() == most) least = top.front().logprob;
    }
  }
  std::sort_heap(top.begin(), top.end(), likelier);
  for (TokenProb& entry : top) entry.logprob = static_cast<float>(entry.logprob - lse);
  return top;
}

}  // namespace lichen::model
