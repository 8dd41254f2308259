#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "eval/tasks/random.h"

namespace lichen::eval {
namespace {

constexpr std::uint64_t kSeed =
    0x6c696368656e;  // of all resampling: the same values, the same ends

}  // namespace

std::optional<double> percentile(std::span<const double> values, double percent) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  // The small allowance keeps 0.95 * 20, which is 19.000000000000004 in binary, at rank 19.
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()) - 1e-9);
  const auto index =
      static_cast<std::size_t>(std::clamp(rank, 1.0, static_cast<double>(sorted.size())) - 1);
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(index));
  return sorted[index];
}

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Estimate bootstrap_mean(std::span<const double> values) {
  if (values.empty()) return {};
  tasks::Random random(kSeed);
  std::vector<double> means(kResamples);
  for (double& resampled : means) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += random.pick(values);
    resampled = sum / static_cast<double>(values.size());
  }
  return {.value = mean(values),
          .low = percentile(means, 2.5).value_or(0),
          .high = percentile(means, 97.5).value_or(0)};
}

double auroc(std::vector<Judged> judged) {
  std::ranges::sort(judged, {}, &Judged::score);
  double ranks = 0, positives = 0;
  for (auto begin = judged.begin(); begin != judged.end();) {
    const auto end = std::find_if(begin, judged.end(), [score = begin->score](const Judged& one) {
      return one.score > score;
    });
    // Equal scores share the mean of their ranks.
    const auto first = static_cast<double>(begin - judged.begin() + 1);
    const auto last = static_cast<double>(end - judged.begin());
    const auto of_these = static_cast<double>(
        std::count_if(begin, end, [](const Judged& one) { return one.positive; }));
    ranks += of_these * (first + last) / 2;
    positives += of_these;
    begin = end;
  }
  const double negatives = static_cast<double>(judged.size()) - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace lichen::eval
