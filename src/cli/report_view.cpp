#include "cli/report_view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <utility>

#include "cli/table.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kMostPairs = 6;

template <class Format>
std::string maybe(const std::optional<double>& value, Format format) {
  return value ? format(*value) : "-";
}

struct ViewColumn {
  std::string_view title;
  std::string (*text)(const eval::Row&);
  bool (*used)(const eval::Row&) = nullptr;  // null: always shown
};

constexpr ViewColumn kColumns[] = {
    {"right", [](const eval::Row& row) { return format_percent(row.accuracy); }},
    {"95 % interval",
     [](const eval::Row& row) {
       return fmt::format("{:.1f} - {:.1f}", row.accuracy_low * 100, row.accuracy_high * 100);
     }},
    {"requests by large",
     [](const eval::Row& row) { return format_percent(row.large_request_share); }},
    {"tokens by large", [](const eval::Row& row) { return format_percent(row.large_token_share); }},
    {"p50", [](const eval::Row& row) { return maybe(row.p50_ms, format_ms); }},
    {"p95", [](const eval::Row& row) { return maybe(row.p95_ms, format_ms); }},
    {"first token", [](const eval::Row& row) { return maybe(row.p50_first_token_ms, format_ms); }},
    {"tokens/s", [](const eval::Row& row) { return format_count(std::llround(row.tokens_per_s)); }},
    {"USD", [](const eval::Row& row) { return maybe(row.usd, format_usd); },
     [](const eval::Row& row) { return row.usd.has_value(); }},
    {"joules", [](const eval::Row& row) { return maybe(row.joules, format_joules); },
     [](const eval::Row& row) { return row.joules.has_value(); }},
    {"left the device",
     [](const eval::Row& row) { return format_bytes(static_cast<std::uint64_t>(row.bytes_sent)); },
     [](const eval::Row& row) { return row.bytes_sent > 0; }},
    {"failed", [](const eval::Row& row) { return format_count(row.failures); }},
};

}  // namespace

std::string report_table(const eval::Report& report, const Terminal& terminal) {
  std::vector<const ViewColumn*> shown;
  std::vector<Table::Column> heads = {{"plan", Table::Align::left}};
  for (const ViewColumn& column : kColumns) {
    if (column.used != nullptr && std::ranges::none_of(report.rows, column.used)) continue;
    shown.push_back(&column);
    heads.push_back({std::string(column.title)});
  }
  Table table(std::move(heads));
  for (const auto& row : report.rows) {
    std::vector<std::string> cells = {terminal.styled(row.plan, Style::bold)};
    for (const ViewColumn* column : shown) cells.push_back(column->text(row));
    table.row(std::move(cells));
  }
  return table.text(terminal);
}

std::string routers_table(const eval::Report& report, const Terminal& terminal) {
  Table table({{"router", Table::Align::left}, {"PGR"}, {"APGR"}, {"CPT50"}, {"CPT80"}, {"AUROC"}});
  const auto figure = [](double value) { return fmt::format("{:.3f}", value); };
  const auto add = [&](const eval::RouterCurves& router, const eval::NamedCurve& curve) {
    const bool own = &curve == &router.curves.front();
    const auto figures = curve.figures.value_or(eval::CurveFigures{});
    table.row(
        {own ? terminal.styled(curve.name, Style::bold) : curve.name,
         own ? maybe(router.recovered, [](double pgr) { return fmt::format("{:.2f}", pgr); }) : "",
         fmt::format("{:.3f}", figures.apgr), maybe(figures.cpt50, format_percent),
         maybe(figures.cpt80, format_percent), own ? maybe(router.auroc, figure) : ""});
  };
  const eval::RouterCurves* shown = nullptr;
  for (const auto& router : report.curves) {
    if (!router.note.empty()) continue;
    shown = &router;
    add(router, router.curves.front());
  }
  // The choices to compare with are the same for all: they know nothing of the router.
  if (shown != nullptr) {
    for (const auto& curve : shown->curves | std::views::drop(1)) add(*shown, curve);
  }
  return table.empty() ? "" : table.text(terminal);
}

std::string pairs_table(const eval::Report& report, const Terminal& terminal) {
  std::vector<const eval::Pair*> pairs;
  pairs.reserve(report.pairs.size());
  for (const eval::Pair& pair : report.pairs) pairs.push_back(&pair);
  std::ranges::sort(pairs, {}, [](const eval::Pair* pair) {
    return std::pair(-pair->oracle(), pair);  // equals in the report's order
  });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  Table table({{"two plans together", Table::Align::left},
               {"both right"},
               {"only the first"},
               {"only the second"},
               {"oracle"},
               {"agreement"}});
  for (const eval::Pair* pair : pairs) {
    table.row({terminal.styled(pair->first + ", " + pair->second, Style::bold),
               format_count(pair->both), format_count(pair->only_first),
               format_count(pair->only_second), format_percent(pair->oracle()),
               format_percent(pair->agreement())});
  }
  return table.empty() ? "" : table.text(terminal);
}

std::string stages_table(const eval::Report& report, const Terminal& terminal) {
  std::vector<Table::Column> heads = {{"right (asked large), over time", Table::Align::left}};
  if (report.rows.empty()) return "";
  std::int64_t first = 1;
  for (const eval::Stage& stage : report.rows.front().stages) {
    heads.push_back({fmt::format("{} - {}", first, first + stage.n - 1)});
    first += stage.n;
  }
  Table table(std::move(heads));
  for (const eval::Row& row : report.rows) {
    std::vector<std::string> cells = {terminal.styled(row.plan, Style::bold)};
    for (const eval::Stage& stage : row.stages) {
      cells.push_back(fmt::format("{} ({})", format_percent(stage.accuracy),
                                  format_percent(stage.large_request_share)));
    }
    table.row(std::move(cells));
  }
  return table.text(terminal);
}

std::optional<Error> failure_of(const eval::Report& report) {
  std::string plans;
  for (const eval::Row& row : report.rows) {
    // That a policy refuses is an answer of its own kind, which the table shows; it is no failure.
    const auto refused = row.errors.find(std::string(to_string(Errc::refused)));
    if (row.failures == (refused == row.errors.end() ? 0 : refused->second)) continue;
    std::string codes;
    for (const auto& [code, number] : row.errors) {
      codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", number, code);
    }
    plans += fmt::format("{}{} of {} by `{}` ({})", plans.empty() ? "" : "; ", row.failures, row.n,
                         row.plan, codes);
  }
  if (plans.empty()) return std::nullopt;
  return Error{Errc::upstream, "requests had no answer that could be checked: " + plans};
}

}  // namespace lichen::cli
