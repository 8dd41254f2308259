#include "mechanisms/routing/risk.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace lichen::mechanisms {

double binomial_tail(std::int64_t k, std::int64_t n, double p) {
  assert(0 <= k && k <= n && p >= 0 && p <= 1);
  if (k == n || p <= 0) return 1;
  if (p >= 1) return 0;
  // From the largest term (the last, below the mean) to both sides, each as a part of it: no term
  // over- or underflows that matters, and only those are added that do.
  const auto trials = static_cast<double>(n);
  const auto log_term = [&](double i) {
    return std::lgamma(trials + 1) - std::lgamma(i + 1) - std::lgamma(trials - i + 1) +
           i * std::log(p) + (trials - i) * std::log1p(-p);
  };
  constexpr double kLeast = 1e-18;
  const auto last = static_cast<double>(k);
  const double middle = std::min(last, std::floor((trials + 1) * p));
  const double largest = log_term(middle);
  double sum = 1;
  double term = 1;
  for (double i = middle; i > 0 && term > kLeast * sum; --i) {
    term *= i / (trials - i + 1) * ((1 - p) / p);
    sum += term;
  }
  term = 1;
  for (double i = middle; i < last && term > kLeast * sum; ++i) {
    term *= (trials - i) / (i + 1) * (p / (1 - p));
    sum += term;
  }
  return std::min(1.0, std::exp(largest + std::log(sum)));
}

double upper_bound(std::int64_t k, std::int64_t n, double delta) {
  if (k >= n) return 1;
  double low = 0, high = 1;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (binomial_tail(k, n, middle) > delta ? low : high) = middle;
  }
  return high;
}

Calibration calibrate(std::span<const Scored> data, std::span<const double> thresholds) {
  assert(std::ranges::is_sorted(thresholds));
  std::vector<Scored> sorted(data.begin(), data.end());
  std::ranges::sort(sorted, {}, &Scored::need);
  Calibration calibration{.n = static_cast<std::int64_t>(data.size())};
  GridPoint point;
  auto next = sorted.begin();
  for (const double threshold : thresholds) {
    point.threshold = threshold;
    for (; next != sorted.end() && next->need < threshold; ++next) {
      ++point.by_small;
      point.losses += next->lost;
      point.unlike += next->unlike || next->lost;
    }
    calibration.grid.push_back(point);
  }
  return calibration;
}

std::vector<double> threshold_grid(std::vector<double> needs, int count) {
  assert(!needs.empty() && count > 1);
  std::ranges::sort(needs);
  std::vector<double> grid;
  for (int i = 0; i < count; ++i) {
    const auto rank =
        static_cast<std::size_t>(i) * (needs.size() - 1) / static_cast<std::size_t>(count - 1);
    grid.push_back(needs[rank]);
  }
  grid.back() = 1.0;  // and beyond all needs: small answers everything but the surest
  const auto repeated = std::ranges::unique(grid);
  grid.erase(repeated.begin(), repeated.end());
  return grid;
}

std::optional<RiskChoice> choose_threshold(const Calibration& calibration,
                                           const RiskTarget& target) {
  std::optional<RiskChoice> choice;
  for (const GridPoint& point : calibration.grid) {
    if (binomial_tail(point.losses, calibration.n, target.alpha) > target.delta) break;
    choice = RiskChoice{.threshold = point.threshold, .at = point};
  }
  if (choice) choice->upper_bound = upper_bound(choice->at.losses, calibration.n, target.delta);
  return choice;
}

std::int64_t least_data(const RiskTarget& target) {
  return static_cast<std::int64_t>(std::ceil(std::log(target.delta) / std::log1p(-target.alpha)));
}

}  // namespace lichen::mechanisms
