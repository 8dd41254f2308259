#include "cli/demo_view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/table.h"

namespace lichen::cli {
namespace {

const eval::Row& better(const eval::Row& a, const eval::Row& b) {
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy ? a : b;
  return a.p50_ms.value_or(INFINITY) <= b.p50_ms.value_or(INFINITY) ? a : b;
}

/// "as right as large alone", "1.3 points below large alone".
std::string against(const eval::Row& row, const eval::Row& other) {
  const double points = (row.accuracy - other.accuracy) * 100;
  if (std::abs(points) < 0.05) return fmt::format("as right as {} alone", other.plan);
  return fmt::format("{:.1f} points {} {} alone", std::abs(points), points < 0 ? "below" : "above",
                     other.plan);
}

}  // namespace

std::string report_table(const eval::Report& report, const Terminal& terminal) {
  Table table({{"plan", Table::Align::left},
               {"right"},
               {"requests by large"},
               {"tokens by large"},
               {"p50"},
               {"p95"},
               {"tokens/s"},
               {"failed"}});
  const auto ms = [](const std::optional<double>& value) {
    return value ? format_ms(*value) : "-";
  };
  for (const auto& row : report.rows) {
    table.row({terminal.styled(row.plan, Style::bold), format_percent(row.accuracy),
               format_percent(row.large_request_share), format_percent(row.large_token_share),
               ms(row.p50_ms), ms(row.p95_ms), format_count(std::llround(row.tokens_per_s)),
               format_count(row.failures)});
  }
  return table.text(terminal);
}

std::string report_in_words(const eval::Report& report, const std::set<std::string>& models,
                            const std::set<std::string>& large) {
  const eval::Row* large_alone = nullptr;
  const eval::Row* small_alone = nullptr;
  const eval::Row* best_mix = nullptr;
  for (const auto& row : report.rows) {
    auto& best = !models.contains(row.plan) ? best_mix
                 : large.contains(row.plan) ? large_alone
                                            : small_alone;
    best = best == nullptr ? &row : &better(*best, row);
  }
  if (best_mix == nullptr) {
    if (small_alone == nullptr || large_alone == nullptr) return "";
    return fmt::format("{} alone is {}.", large_alone->plan, against(*large_alone, *small_alone));
  }

  std::string words =
      fmt::format("{} is right on {}", best_mix->plan, format_percent(best_mix->accuracy));
  if (large_alone != nullptr) words += ", " + against(*best_mix, *large_alone);
  if (small_alone != nullptr) words += ", " + against(*best_mix, *small_alone);
  if (!large.empty()) {
    words += fmt::format("; {} of its requests needed the large model",
                         format_percent(best_mix->large_request_share));
  }
  if (large_alone != nullptr && large_alone->p50_ms && best_mix->p50_ms &&
      *large_alone->p50_ms > 0) {
    words += fmt::format("; its median answer takes {:.2f} times {}'s",
                         *best_mix->p50_ms / *large_alone->p50_ms, large_alone->plan);
  }
  return words + ".";
}

std::optional<Error> failure_of(const eval::Report& report) {
  std::string plans;
  for (const eval::Row& row : report.rows) {
    if (row.failures == 0) continue;
    plans +=
        fmt::format("{}{} of {} by `{}`", plans.empty() ? "" : ", ", row.failures, row.n, row.plan);
  }
  if (plans.empty()) return std::nullopt;
  return Error{Errc::upstream, "requests had no answer that could be checked: " + plans};
}

}  // namespace lichen::cli
