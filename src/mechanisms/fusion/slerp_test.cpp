#include "mechanisms/fusion/slerp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace lichen::mechanisms {
namespace {

TEST(AngleOf, AddsUpProductsOfAnyLength) {
  std::vector<float> a, b;
  double aa = 0, bb = 0, ab = 0;
  for (int n = 0; n < 37; ++n) {
    const Angle angle = angle_of(a, b);
    EXPECT_DOUBLE_EQ(angle.aa, aa);
    EXPECT_DOUBLE_EQ(angle.bb, bb);
    EXPECT_DOUBLE_EQ(angle.ab, ab);
    a.push_back(static_cast<float>(n) - 10);
    b.push_back(0.5F * static_cast<float>(n));
    aa += a.back() * a.back();
    bb += b.back() * b.back();
    ab += a.back() * b.back();
  }
}

TEST(SlerpFactors, GoAlongTheArc) {
  const SlerpFactors third = slerp_factors({.aa = 4, .bb = 9, .ab = 0}, 1.0 / 3);
  EXPECT_NEAR(third.a, std::cos(std::numbers::pi / 6), 1e-12);  // of 90 degrees 30
  EXPECT_NEAR(third.b, 0.5, 1e-12);
  EXPECT_NEAR(slerp_factors({1, 1, 0.5}, 0).a, 1, 1e-12);
  EXPECT_NEAR(slerp_factors({1, 1, 0.5}, 0).b, 0, 1e-12);
  EXPECT_NEAR(slerp_factors({1, 1, 0.5}, 1).b, 1, 1e-12);
}

TEST(SlerpFactors, TakeTheStraightLineWhereThereIsNoArc) {
  for (const Angle angle : {Angle{1, 1, 1}, Angle{1, 1, -1}, Angle{0, 1, 0}, Angle{0, 0, 0}}) {
    EXPECT_EQ(slerp_factors(angle, 0.25).a, 0.75);
    EXPECT_EQ(slerp_factors(angle, 0.25).b, 0.25);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
