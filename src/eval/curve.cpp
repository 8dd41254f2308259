#include "eval/curve.h"

#include <algorithm>

namespace lichen::eval {
namespace {

/// The smallest share at which the recovered gap reaches `wanted`.
std::optional<double> share_reaching(std::span<const CurvePoint> curve, double wanted) {
  const double small = curve.front().quality;
  const double quality = small + wanted * (curve.back().quality - small);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (curve[i].quality < quality) continue;
    if (i == 0) return curve[i].share;
    const CurvePoint& before = curve[i - 1];
    return before.share + (quality - before.quality) / (curve[i].quality - before.quality) *
                              (curve[i].share - before.share);
  }
  return std::nullopt;
}

}  // namespace

std::vector<CurvePoint> quality_curve(std::span<const Replay> requests) {
  if (requests.empty()) return {};
  std::vector<Replay> sorted(requests.begin(), requests.end());
  std::ranges::sort(sorted, {}, &Replay::score);
  const auto n = static_cast<double>(sorted.size());
  auto right = static_cast<double>(std::ranges::count(sorted, true, &Replay::small_right));
  std::vector<CurvePoint> curve = {{.share = 0, .quality = right / n}};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    right +=
        static_cast<double>(sorted[i].large_right) - static_cast<double>(sorted[i].small_right);
    const bool last_of_score = i + 1 == sorted.size() || sorted[i + 1].score != sorted[i].score;
    if (!last_of_score) continue;
    curve.push_back({.share = static_cast<double>(i + 1) / n, .quality = right / n});
  }
  return curve;
}

double oracle_score(bool small_right, bool large_right) {
  return static_cast<double>(small_right) - static_cast<double>(large_right);
}

std::optional<double> auroc(std::span<const Replay> requests) {
  std::vector<Replay> sorted(requests.begin(), requests.end());
  std::ranges::sort(sorted, {}, &Replay::score);
  double right = 0, wrong = 0, ordered = 0;  // of them all pairs of a right and a wrong one
  for (auto tie = sorted.begin(); tie != sorted.end();) {
    double right_here = 0, wrong_here = 0;
    for (const double score = tie->score; tie != sorted.end() && tie->score == score; ++tie) {
      (tie->small_right ? right_here : wrong_here) += 1;
    }
    ordered += right_here * (wrong + wrong_here / 2);
    right += right_here;
    wrong += wrong_here;
  }
  if (right == 0 || wrong == 0) return std::nullopt;
  return ordered / (right * wrong);
}

std::optional<double> gap_recovered(double quality, double small, double large) {
  if (!(large > small)) return std::nullopt;
  return (quality - small) / (large - small);
}

std::optional<CurveFigures> figures_of(std::span<const CurvePoint> curve) {
  if (curve.empty()) return std::nullopt;
  const double small = curve.front().quality;
  const double large = curve.back().quality;
  if (!(large > small)) return std::nullopt;
  double area = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].share - curve[i - 1].share) * (curve[i].quality + curve[i - 1].quality) / 2;
  }
  return CurveFigures{.apgr = (area - small) / (large - small),
                      .cpt50 = share_reaching(curve, 0.5),
                      .cpt80 = share_reaching(curve, 0.8)};
}

}  // namespace lichen::eval
