#include "eval/report/point_names.h"

#include <cmath>

#include "eval/report/labels.h"

namespace lichen::eval {
namespace {

/// Small boxes along a line, for names to keep away from.
void add_obstacles(std::vector<Box>& obstacles, std::span<const Point> line) {
  constexpr double kStep = 5, kHalf = 1.5;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const auto& [x, y] = line[i - 1];
    const double dx = line[i].x - x, dy = line[i].y - y;
    const double length = std::hypot(dx, dy);
    for (double at = 0; at < length; at += kStep) {
      obstacles.push_back(
          {x + dx * at / length - kHalf, y + dy * at / length - kHalf, 2 * kHalf, 2 * kHalf});
    }
  }
}

}  // namespace

void draw_names(Svg& svg, const Frame& frame, std::span<const NamedPoint> points,
                std::span<const Point> line) {
  constexpr double kRadius = NamedPoint::kRadius;
  std::vector<Label> labels;
  std::vector<Box> obstacles;
  add_obstacles(obstacles, line);
  for (const auto& [at, name, top, bottom] : points) {
    labels.push_back({.point = at, .size = {text_width(name, Frame::kFont), Frame::kFont}});
    obstacles.push_back({at.x - kRadius, at.y - kRadius, 2 * kRadius, 2 * kRadius});
    obstacles.push_back({at.x - 2, top, 4, bottom - top});
  }
  const auto placed = place_labels(labels, obstacles, frame.inside());
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const Box& box = placed[i].box;
    if (placed[i].apart) svg.line(points[i].at, nearest(box, points[i].at), "leader");
    svg.text({box.x + box.width / 2, box.y + box.height / 2 + Frame::kFont * 0.35},
             Svg::Anchor::middle, "name", points[i].name);
  }
}

}  // namespace lichen::eval
