#include "eval/report/curve_plot.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <ranges>

#include "base/format.h"
#include "eval/report/axis.h"
#include "eval/report/point_names.h"

namespace lichen::eval {
namespace {

Frame frame_of(const RouterGroup& routers, Size size) {
  double low = 1, high = 0;
  const auto include = [&](const CurvePoint& point) {
    low = std::min(low, point.quality);
    high = std::max(high, point.quality);
  };
  for (const RouterCurves* router : routers) include(router->measured);
  for (const NamedCurve& curve : routers.front()->curves) {
    std::ranges::for_each(curve.points, include);
  }
  return {size, axis_of_shares("requests to large", 0, 1), axis_of_shares("right", low, high)};
}

}  // namespace

std::vector<RouterGroup> grouped(std::span<const RouterCurves> routers) {
  std::vector<RouterGroup> groups;
  for (const RouterCurves& router : routers) {
    const auto group = std::ranges::find_if(groups, [&](const RouterGroup& known) {
      return known.front()->mechanism == router.mechanism &&
             known.front()->curves.front().points == router.curves.front().points;
    });
    if (group == groups.end()) {
      groups.push_back({&router});
    } else {
      group->push_back(&router);
    }
  }
  return groups;
}

std::string_view curve_class(const RouterCurves& router, const NamedCurve& curve) {
  if (&curve == &router.curves.front()) return "router";
  for (const std::string_view known : {"length", "random", "oracle"}) {
    if (curve.name == known) return known;
  }
  return "other";
}

Svg draw_routers(const RouterGroup& routers, Size size) {
  const RouterCurves& first = *routers.front();
  const Frame frame = frame_of(routers, size);
  Svg svg;
  frame.draw(svg);
  std::vector<Point> own_line;
  // The router last, so that it lies above the others.
  for (const NamedCurve& curve : first.curves | std::views::reverse) {
    std::vector<Point> points;
    points.reserve(curve.points.size());
    for (const CurvePoint& point : curve.points) {
      points.push_back(frame.at(point.share, point.quality));
    }
    svg.polyline(points, fmt::format("curve {}", curve_class(first, curve)));
    own_line = std::move(points);
  }
  svg.circle(frame.at(0, first.small_quality), 4.5, "dot small",
             "small alone: " + base::format_percent(first.small_quality));
  svg.circle(frame.at(1, first.large_quality), 4.5, "dot large",
             "large alone: " + base::format_percent(first.large_quality));
  std::vector<NamedPoint> names;
  for (const RouterCurves* router : routers) {
    const Point at = frame.at(router->measured.share, router->measured.quality);
    svg.circle(at, NamedPoint::kRadius, "dot plan",
               fmt::format("{} as measured: {} right, {} of requests to large", router->plan,
                           base::format_percent(router->measured.quality),
                           base::format_percent(router->measured.share)));
    names.push_back({.at = at, .name = router->plan});
  }
  draw_names(svg, frame, names, own_line);
  return svg;
}

}  // namespace lichen::eval
