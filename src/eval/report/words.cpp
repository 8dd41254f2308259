#include "eval/report/words.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <utility>

#include "base/format.h"

namespace lichen::eval {
namespace {

const Row& better(const Row& a, const Row& b) {
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy ? a : b;
  return a.p50_ms.value_or(INFINITY) <= b.p50_ms.value_or(INFINITY) ? a : b;
}

template <class Wanted>
const Row* best_of(const Report& report, Wanted wanted) {
  const Row* best = nullptr;
  for (const Row& row : report.rows) {
    if (wanted(row)) best = best == nullptr ? &row : &better(*best, row);
  }
  return best;
}

/// Whether `row` may be as good as `best`, which has the best quality, as far as the tasks tell.
bool as_good(const Row& row, const Row& best) {
  if (row.accuracy == best.accuracy) return true;
  return row.against_large && best.against_large &&
         row.against_large->high >= best.against_large->value;
}

/// How much of large a plan needs, then how long it takes.
std::pair<double, double> effort(const Row& row) {
  return {row.large_token_share, row.p50_ms.value_or(INFINITY)};
}

/// "as right as large alone", "1.3 points below large alone".
std::string against(const Row& row, const Row& other) {
  const double points = (row.accuracy - other.accuracy) * 100;
  if (std::abs(points) < 0.05) return fmt::format("as right as {} alone", other.plan);
  return fmt::format("{:.1f} points {} {} alone", std::abs(points), points < 0 ? "below" : "above",
                     other.plan);
}

}  // namespace

const Row* best_plan(const Report& report) {
  const auto is_plan = [&](const Row& row) { return !report.is_model(row.plan); };
  const Row* best = best_of(report, is_plan);
  const Row* chosen = best;
  for (const Row& row : report.rows) {
    if (!is_plan(row) || !as_good(row, *best)) continue;
    if (effort(row) < effort(*chosen)) chosen = &row;
  }
  return chosen;
}

std::string in_words(const Report& report) {
  const auto& large = report.baselines.large;
  const Row* best = best_plan(report);
  const Row* large_alone = best_of(report, [&](const Row& row) {
    return report.is_model(row.plan) && large.contains(row.plan);
  });
  const Row* small_alone = best_of(report, [&](const Row& row) {
    return report.is_model(row.plan) && !large.contains(row.plan);
  });
  if (best == nullptr) {
    if (small_alone == nullptr || large_alone == nullptr) return "";
    return fmt::format("{} alone is {}.", large_alone->plan, against(*large_alone, *small_alone));
  }
  auto words = fmt::format("{} is right on {}", best->plan, base::format_percent(best->accuracy));
  if (large_alone != nullptr) words += ", " + against(*best, *large_alone);
  if (small_alone != nullptr) words += ", " + against(*best, *small_alone);
  if (!large.empty()) {
    words += fmt::format("; {} of its requests needed the large model",
                         base::format_percent(best->large_request_share));
  }
  if (large_alone != nullptr && large_alone->p50_ms && best->p50_ms && *large_alone->p50_ms > 0) {
    words += fmt::format("; its median answer takes {:.2f} times {}'s",
                         *best->p50_ms / *large_alone->p50_ms, large_alone->plan);
  }
  return words + ".";
}

}  // namespace lichen::eval
