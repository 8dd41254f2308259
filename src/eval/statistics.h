// Statistics of a measurement. Pure functions; deterministic, on every platform.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace lichen::eval {

/// The nearest-rank percentile: the smallest value that at least `percent` (over 0, to 100) of all
/// values do not exceed. Always one of the values; none when there are none.
std::optional<double> percentile(std::span<const double> values, double percent);

/// 0 when there are none.
double mean(std::span<const double> values);

/// A mean and the ends of its 95 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
  bool operator==(const Estimate&) const = default;
};

inline constexpr int kResamples = 2'000;

/// The mean with its percentile bootstrap interval (Efron, 1979): of kResamples samples of as many
/// values, drawn with replacement by a fixed seed, the means at ranks 2.5 % and 97.5 %. Zeros when
/// there are no values. For a paired difference give the differences, one for each pair. Where all
/// values are the same, so are the ends: the sample knows of no other value.
Estimate bootstrap_mean(std::span<const double> values);

/// A score, and whether what it should tell was so.
struct Judged {
  double score = 0;
  bool positive = false;
};

/// The area under the ROC curve: the probability that a positive one has a higher score than one
/// that is not, ties counted half (Mann, Whitney 1947). One half where there are not both kinds.
double auroc(std::vector<Judged> judged);

}  // namespace lichen::eval
