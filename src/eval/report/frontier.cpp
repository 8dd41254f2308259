#include "eval/report/frontier.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "eval/report/axis.h"
#include "eval/report/point_names.h"
#include "eval/report/style.h"

namespace lichen::eval {
namespace {

std::optional<double> cost_of(const Row& row, Cost cost) {
  switch (cost) {
    case Cost::usd: return row.usd.value_or(0) * 1'000 / static_cast<double>(row.n);
    case Cost::large_tokens: return row.large_token_share;
    case Cost::p50_ms: return row.p50_ms;
  }
  return std::nullopt;
}

void mark_frontier(std::vector<FrontierPoint>& points) {
  for (FrontierPoint& point : points) {
    point.on_frontier = std::ranges::none_of(points, [&](const FrontierPoint& other) {
      const bool as_good = other.row->accuracy >= point.row->accuracy;
      const bool as_cheap = other.cost <= point.cost;
      const bool better = other.row->accuracy > point.row->accuracy || other.cost < point.cost;
      return as_good && as_cheap && better;
    });
  }
}

Axis cost_axis(const std::vector<FrontierPoint>& points, Cost cost) {
  const double least = points.empty() ? 0 : points.front().cost;
  const double most = points.empty() ? 0 : points.back().cost;
  switch (cost) {
    case Cost::usd:
      return axis_of_magnitudes("USD for 1,000 requests", least, most, base::format_usd);
    case Cost::large_tokens: return axis_of_shares("answer tokens by large", 0, most);
    case Cost::p50_ms: return axis_of_magnitudes("median time", least, most, base::format_ms);
  }
  return {};
}

Axis quality_axis(const std::vector<FrontierPoint>& points) {
  double low = 1, high = 0;
  for (const FrontierPoint& point : points) {
    low = std::min(low, point.row->accuracy_low);
    high = std::max(high, point.row->accuracy_high);
  }
  return axis_of_shares("right", std::min(low, high), high);
}

std::string hint_of(const FrontierPoint& point, Cost cost) {
  const Row& row = *point.row;
  const auto price = cost == Cost::usd            ? base::format_usd(point.cost)
                     : cost == Cost::large_tokens ? base::format_percent(point.cost) + " by large"
                                                  : base::format_ms(point.cost);
  return fmt::format("{}: {} right ({} to {}), {}", row.plan, base::format_percent(row.accuracy),
                     base::format_percent(row.accuracy_low),
                     base::format_percent(row.accuracy_high), price);
}

/// Green for plans, amber and violet for the models that they are made of.
std::string_view kind_of(const Report& report, const Row& row) {
  if (!report.is_model(row.plan)) return "plan";
  return report.baselines.large.contains(row.plan) ? "large" : "small";
}

void draw_whisker(Svg& svg, const Frame& frame, const FrontierPoint& point, std::string_view kind) {
  constexpr double kCap = 3;
  const Point low = frame.at(point.cost, point.row->accuracy_low);
  const Point high = frame.at(point.cost, point.row->accuracy_high);
  const auto classes = fmt::format("whisker {}", kind);
  svg.line(low, high, classes);
  for (const Point& end : {low, high}) {
    svg.line({end.x - kCap, end.y}, {end.x + kCap, end.y}, classes);
  }
}

/// The names of the points; `line` is the frontier.
void draw_names(Svg& svg, const Frame& frame, const std::vector<FrontierPoint>& points,
                std::span<const Point> line) {
  std::vector<NamedPoint> named;
  for (const FrontierPoint& point : points) {
    const Row& row = *point.row;
    named.push_back({.at = frame.at(point.cost, row.accuracy),
                     .name = row.plan,
                     .whisker_top = frame.at(point.cost, row.accuracy_high).y,
                     .whisker_bottom = frame.at(point.cost, row.accuracy_low).y});
  }
  draw_names(svg, frame, named, line);
}

}  // namespace

Cost cost_known(const Report& report) {
  const bool priced =
      std::ranges::any_of(report.rows, [](const Row& row) { return row.usd.has_value(); });
  return priced ? Cost::usd : Cost::large_tokens;
}

std::vector<FrontierPoint> frontier_points(const Report& report, Cost cost) {
  std::vector<FrontierPoint> points;
  for (const Row& row : report.rows) {
    if (!row.p50_ms) continue;  // nothing was answered: neither cheap nor fast
    if (const auto known = cost_of(row, cost)) points.push_back({.row = &row, .cost = *known});
  }
  std::ranges::sort(points, [](const FrontierPoint& a, const FrontierPoint& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.row->accuracy < b.row->accuracy;
  });
  mark_frontier(points);
  return points;
}

Svg draw_frontier(const Report& report, Cost cost, Size size) {
  const auto points = frontier_points(report, cost);
  const Frame frame(size, cost_axis(points, cost), quality_axis(points));
  Svg svg;
  frame.draw(svg);
  std::vector<Point> best;
  for (const FrontierPoint& point : points) {
    if (point.on_frontier) best.push_back(frame.at(point.cost, point.row->accuracy));
  }
  svg.polyline(best, "frontier");
  for (const FrontierPoint& point : points) {
    draw_whisker(svg, frame, point, kind_of(report, *point.row));
  }
  // Models last: a plan that does what one of them does lies under it.
  for (const bool models : {false, true}) {
    for (const FrontierPoint& point : points) {
      if (report.is_model(point.row->plan) != models) continue;
      svg.circle(frame.at(point.cost, point.row->accuracy), NamedPoint::kRadius,
                 fmt::format("dot {}", kind_of(report, *point.row)), hint_of(point, cost));
    }
  }
  draw_names(svg, frame, points, best);
  return svg;
}

std::string frontier_title(Cost cost) {
  switch (cost) {
    case Cost::usd: return "Quality against cost";
    case Cost::large_tokens: return "Quality against use of the large model";
    case Cost::p50_ms: return "Quality against median time";
  }
  return "";
}

std::string frontier_file(const Report& report) {
  constexpr Size kSize{.width = 720, .height = 440};
  const Cost cost = cost_known(report);
  return draw_frontier(report, cost, kSize).standalone(kSize, frontier_title(cost), plot_style());
}

}  // namespace lichen::eval
