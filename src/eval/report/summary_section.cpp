#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "eval/report/html_table.h"
#include "eval/report/markup.h"
#include "eval/report/sections.h"
#include "eval/report/words.h"

namespace lichen::eval {
namespace {

std::string signed_points(double share) {
  const double points = share * 100;
  if (std::abs(points) < 0.05) return "0.0";
  return fmt::format("{}{:.1f}", points < 0 ? "\u2212" : "+", std::abs(points));
}

std::string interval(double low, double high) {
  return fmt::format("{:.1f}\u2013{:.1f}", low * 100, high * 100);
}

std::string tile(std::string_view title, std::string_view value, std::string_view below) {
  return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", escaped(title),
                     escaped(value), escaped(below));
}

/// A column of the summary, left out where no row has anything to show in it.
struct SummaryColumn {
  std::string_view title;
  std::string_view explained;
  std::string (*text)(const Row&);  // markup of the whole cell
  bool (*used)(const Row&) = nullptr;
};

template <class Format>
std::string maybe(const std::optional<double>& value, Format format) {
  return value ? cell(format(*value)) : empty_cell();
}

constexpr SummaryColumn kSummary[] = {
    {"right",
     "right answers / all requests, with its 95 % bootstrap interval; a request that "
     "failed is a wrong answer",
     [](const Row& row) {
       return cell(base::format_percent(row.accuracy),
                   interval(row.accuracy_low, row.accuracy_high));
     }},
    {"against large",
     "points above or below large alone, task by task, with the 95 % interval of "
     "the paired difference",
     [](const Row& row) {
       if (!row.against_large) return empty_cell();
       const auto& [value, low, high] = *row.against_large;
       return cell(signed_points(value), signed_points(low) + " to " + signed_points(high));
     }},
    {"requests by large", "requests in which a large model did a step, used or not",
     [](const Row& row) { return cell(base::format_percent(row.large_request_share)); }},
    {"tokens by large", "answer tokens that a large model wrote",
     [](const Row& row) { return cell(base::format_percent(row.large_token_share)); }},
    {"USD",
     "all requests together; behind it the part of large models where it is not all; models "
     "without a price count "
     "nothing",
     [](const Row& row) {
       if (!row.usd) return empty_cell();
       if (row.usd == row.usd_large) return cell(base::format_usd(*row.usd));
       return cell(base::format_usd(*row.usd), base::format_usd(row.usd_large.value_or(0)));
     },
     [](const Row& row) { return row.usd.has_value(); }},
    {"p50", "median time to the whole answer, of answered requests",
     [](const Row& row) { return maybe(row.p50_ms, base::format_ms); }},
    {"p95", "95th percentile of the time to the whole answer",
     [](const Row& row) { return maybe(row.p95_ms, base::format_ms); }},
    {"first token", "median and 95th percentile of the time to the first token that is shown",
     [](const Row& row) {
       if (!row.p50_first_token_ms || !row.p95_first_token_ms) return empty_cell();
       return cell(base::format_ms(*row.p50_first_token_ms),
                   base::format_ms(*row.p95_first_token_ms));
     }},
    {"tokens/s", "answer tokens / time in which the plan was at work",
     [](const Row& row) { return cell(base::format_count(std::llround(row.tokens_per_s))); }},
    {"joules", "of the steps that were measured",
     [](const Row& row) { return maybe(row.joules, base::format_joules); },
     [](const Row& row) { return row.joules.has_value(); }},
    {"left the device", "bytes of request bodies to remote models",
     [](const Row& row) {
       return cell(base::format_bytes(static_cast<std::uint64_t>(row.bytes_sent)));
     },
     [](const Row& row) { return row.bytes_sent > 0; }},
    {"failed", "requests without an answer that could be checked",
     [](const Row& row) { return cell(base::format_count(row.failures)); }},
};

}  // namespace

std::string tiles_section(const Report& report) {
  const Row* best = best_plan(report);
  if (best == nullptr) return "";
  std::string tiles = tile(best->plan + " is right on", base::format_percent(best->accuracy),
                           "95 %: " + interval(best->accuracy_low, best->accuracy_high));
  if (best->against_large) {
    tiles += tile("against large alone", signed_points(best->against_large->value) + " points",
                  "95 %: " + signed_points(best->against_large->low) + " to " +
                      signed_points(best->against_large->high));
  }
  tiles += tile("requests by large", base::format_percent(best->large_request_share),
                base::format_percent(best->large_token_share) + " of the tokens");
  const Row* large = report.find(report.baselines.large_alone);
  if (best->p50_ms) {
    tiles += tile(
        "median time", base::format_ms(*best->p50_ms),
        large != nullptr && large->p50_ms ? "large alone: " + base::format_ms(*large->p50_ms) : "");
  }
  if (best->usd) {
    tiles +=
        tile("cost", base::format_usd(*best->usd),
             large != nullptr && large->usd ? "large alone: " + base::format_usd(*large->usd) : "");
  }
  return "<dl class=\"tiles\">\n" + tiles + "</dl>\n";
}

std::string summary_section(const Report& report) {
  std::vector<const SummaryColumn*> shown;
  std::vector<HtmlTable::Column> columns = {{"plan"}};
  for (const SummaryColumn& column : kSummary) {
    if (column.used != nullptr && std::ranges::none_of(report.rows, column.used)) continue;
    shown.push_back(&column);
    columns.push_back({std::string(column.title), std::string(column.explained)});
  }
  HtmlTable table(std::move(columns));
  for (const Row& row : report.rows) {
    auto cells = name_cell(report, row.plan);
    for (const SummaryColumn* column : shown) cells += column->text(row);
    table.row(std::move(cells));
  }
  std::string notes;
  const auto nobody = [&](bool (*used)(const Row&)) {
    return std::ranges::none_of(report.rows, used);
  };
  if (nobody([](const Row& row) { return row.usd.has_value(); })) notes += " No model has a price.";
  if (nobody([](const Row& row) { return row.joules.has_value(); })) {
    notes += " Energy was not measured: no counter could be read.";
  }
  if (nobody([](const Row& row) { return row.bytes_sent > 0; })) {
    notes += " Nothing left this device.";
  }
  return "<h2>Plans</h2>\n" + table.text() +
         "<p class=\"note\">Green: plans; amber and violet: a small and a large model alone. Small "
         "figures are 95 % intervals, those behind the first token its 95th percentile, those "
         "behind USD the part of large." +
         notes + "</p>\n";
}

}  // namespace lichen::eval
