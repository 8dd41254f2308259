#include "eval/report/labels.h"

#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

constexpr Box kBounds{0, 0, 400, 300};

TEST(Labels, Overlap) {
  EXPECT_EQ(overlap({0, 0, 10, 10}, {5, 5, 10, 10}), 25);
  EXPECT_EQ(overlap({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
}

TEST(Labels, AloneItIsAtTheRight) {
  const auto placed = place_labels(std::vector<Label>{{{100, 100}, {50, 13}}}, {}, kBounds);
  ASSERT_EQ(placed.size(), 1u);
  EXPECT_GT(placed[0].box.x, 100);
  EXPECT_FALSE(placed[0].apart);
}

TEST(Labels, StaysWithinTheBounds) {
  for (const Point corner : {Point{0, 0}, Point{400, 0}, Point{0, 300}, Point{400, 300}}) {
    const auto box = place_labels(std::vector<Label>{{corner, {60, 13}}}, {}, kBounds)[0].box;
    EXPECT_GE(box.x, 0);
    EXPECT_GE(box.y, 0);
    EXPECT_LE(box.right(), 400);
    EXPECT_LE(box.bottom(), 300);
  }
}

TEST(Labels, ManyPointsAtOnePlaceHaveNamesApart) {
  std::vector<Label> labels;
  std::vector<Box> points;
  for (int i = 0; i < 10; ++i) {
    const Point point{180 + 3.0 * i, 150 + 2.0 * (i % 3)};
    labels.push_back({point, {55, 13}});
    points.push_back({point.x - 5, point.y - 5, 10, 10});
  }
  const auto placed = place_labels(labels, points, kBounds);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_EQ(overlap(placed[i].box, placed[j].box), 0) << i << " and " << j;
    }
    for (const Box& point : points) EXPECT_EQ(overlap(placed[i].box, point), 0) << i;
  }
}

}  // namespace
}  // namespace lichen::eval
