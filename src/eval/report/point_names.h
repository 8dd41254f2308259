// The names of a plot's points, beside them or at the end of a thin line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/report/axis.h"
#include "eval/report/svg.h"

namespace lichen::eval {

struct NamedPoint {
  static constexpr double kRadius = 5.5;  // of its dot

  Point at;
  std::string name;
  /// Where its whisker ends; both at the point where there is none.
  double whisker_top = at.y;
  double whisker_bottom = at.y;
};

/// `line`: what names should also keep away from.
void draw_names(Svg& svg, const Frame& frame, std::span<const NamedPoint> points,
                std::span<const Point> line);

}  // namespace lichen::eval
