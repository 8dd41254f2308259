// The plot of a router: quality against the share of requests that go to large.
#pragma once

#include <span>

#include "eval/report/svg.h"
#include "eval/router_curves.h"

namespace lichen::eval {

/// Routers that differ in their threshold alone: they have the same curves, and each is a point on
/// it. At least one.
using RouterGroup = std::vector<const RouterCurves*>;

/// In the order in which each group's first one stands.
std::vector<RouterGroup> grouped(std::span<const RouterCurves> routers);

Svg draw_routers(const RouterGroup& routers, Size size);

/// The class of a curve's line: "router", "length", "random" or "oracle".
std::string_view curve_class(const RouterCurves& router, const NamedCurve& curve);

}  // namespace lichen::eval
