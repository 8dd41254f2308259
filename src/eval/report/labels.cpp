#include "eval/report/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace lichen::eval {
namespace {

constexpr double kDistances[] = {9, 16, 24, 34, 46, 60, 76, 94};
constexpr int kDirections = 16;
constexpr int kRounds = 6;

// How bad a place is. Covering something outweighs any distance, and so does a line across another.
constexpr double kOutside = 1'000, kOnLabel = 100, kOnObstacle = 50;  // for each square unit
constexpr double kCrossing = 150, kPerDistance = 2;

/// A name's box whose nearest edge or corner is that far from the point, in a direction; the best
/// direction is to the right.
Box box_at(const Label& label, int direction, double distance) {
  const double angle = 2 * std::numbers::pi * direction / kDirections;
  const auto& [width, height] = label.size;
  const double x = std::cos(angle), y = std::sin(angle);
  const double centre_x = label.point.x + x * (distance + width / 2);
  const double centre_y = label.point.y + y * (distance + height / 2);
  return {centre_x - width / 2, centre_y - height / 2, width, height};
}

double outside(const Box& box, const Box& bounds) {
  return box.width * box.height - overlap(box, bounds);
}

double cross(Point a, Point b, Point c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

bool lines_cross(Point a, Point b, Point c, Point d) {
  return cross(a, b, c) * cross(a, b, d) < 0 && cross(c, d, a) * cross(c, d, b) < 0;
}

bool line_meets(Point from, Point to, const Box& box) {
  const Point left_top{box.x, box.y}, right_bottom{box.right(), box.bottom()};
  const Point right_top{box.right(), box.y}, left_bottom{box.x, box.bottom()};
  return lines_cross(from, to, left_top, right_bottom) ||
         lines_cross(from, to, right_top, left_bottom);
}

/// A point as large as it is drawn.
Box around(Point point) {
  constexpr double kRadius = 5;
  return {point.x - kRadius, point.y - kRadius, 2 * kRadius, 2 * kRadius};
}

/// All labels with their places; one at a time moves to where it is best among the others.
class Placement {
 public:
  Placement(std::span<const Label> labels, std::span<const Box> obstacles, Box bounds)
      : labels_(labels), obstacles_(obstacles), bounds_(bounds), placed_(labels.size()) {}

  /// `others`: how many labels have a place already, from the first.
  void move(std::size_t i, std::size_t others) {
    double least = std::numeric_limits<double>::infinity();
    PlacedLabel best;
    for (const double distance : kDistances) {
      for (int direction = 0; direction < kDirections; ++direction) {
        const PlacedLabel place{.box = box_at(labels_[i], direction, distance),
                                .apart = distance > kDistances[0]};
        const int turned = std::min(direction, kDirections - direction);
        const double bad = badness(i, place, others) + kPerDistance * distance + turned * 0.5;
        if (bad >= least) continue;
        least = bad;
        best = place;
      }
    }
    placed_[i] = best;
  }

  std::vector<PlacedLabel> take() { return std::move(placed_); }

 private:
  double badness(std::size_t i, const PlacedLabel& place, std::size_t others) const {
    double bad = kOutside * outside(place.box, bounds_);
    for (const Box& obstacle : obstacles_) bad += kOnObstacle * overlap(place.box, obstacle);
    const Point own = labels_[i].point, own_end = nearest(place.box, own);
    for (std::size_t j = 0; j < labels_.size(); ++j) {
      const Point other = labels_[j].point;
      if (j == i) continue;
      if (place.apart && line_meets(own, own_end, around(other))) bad += kCrossing;
      if (j >= others) continue;
      const Point other_end = nearest(placed_[j].box, other);
      bad += kOnLabel * overlap(place.box, placed_[j].box);
      if (place.apart && line_meets(own, own_end, placed_[j].box)) bad += kCrossing;
      if (placed_[j].apart && line_meets(other, other_end, place.box)) bad += kCrossing;
      if (place.apart && placed_[j].apart && lines_cross(own, own_end, other, other_end)) {
        bad += kCrossing;
      }
    }
    return bad;
  }

  const std::span<const Label> labels_;
  const std::span<const Box> obstacles_;
  const Box bounds_;
  std::vector<PlacedLabel> placed_;
};

}  // namespace

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.right(), b.right()) - std::max(a.x, b.x);
  const double height = std::min(a.bottom(), b.bottom()) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

Point nearest(const Box& box, Point point) {
  return {std::clamp(point.x, box.x, box.right()), std::clamp(point.y, box.y, box.bottom())};
}

std::vector<PlacedLabel> place_labels(std::span<const Label> labels, std::span<const Box> obstacles,
                                      Box bounds) {
  Placement placement(labels, obstacles, bounds);
  for (std::size_t i = 0; i < labels.size(); ++i) placement.move(i, i);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < labels.size(); ++i) placement.move(i, labels.size());
  }
  return placement.take();
}

}  // namespace lichen::eval
