#include "eval/report/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"

namespace lichen::eval {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Pointwise;

TEST(Axis, FromZeroInRoundSteps) {
  const auto axis = axis_from_zero("t", 43, base::format_ms);
  EXPECT_THAT(axis.ticks, Pointwise(DoubleEq(), {0, 10, 20, 30, 40, 50}));
  EXPECT_EQ(axis.high, 50);
  EXPECT_EQ(axis.place(25), 0.5);
  EXPECT_EQ(axis_from_zero("t", 0, base::format_ms).high, 0.2) << "nothing costs anything";
}

TEST(Axis, SharesKeepToRoundPercents) {
  const auto axis = axis_of_shares("right", 0.87, 0.98);
  EXPECT_NEAR(axis.low, 0.85, 1e-12);
  EXPECT_NEAR(axis.high, 1, 1e-12);
  EXPECT_EQ(axis.format(axis.ticks[0]), "85 %");
  const auto flat = axis_of_shares("right", 1, 1);
  EXPECT_LT(flat.low, flat.high);
  const auto none = axis_of_shares("right", 0, 0);
  EXPECT_LT(none.low, none.high);
}

TEST(Axis, WideRangesAreLogarithmic) {
  EXPECT_FALSE(axis_of_magnitudes("ms", 10, 100, base::format_ms).logarithmic);
  EXPECT_FALSE(axis_of_magnitudes("ms", 0, 100, base::format_ms).logarithmic);
  const auto axis = axis_of_magnitudes("ms", 2, 200, base::format_ms);
  EXPECT_TRUE(axis.logarithmic);
  EXPECT_THAT(axis.ticks, Pointwise(testing::DoubleNear(1e-9), {2, 5, 10, 20, 50, 100, 200}));
  EXPECT_NEAR(axis.place(20) - axis.place(2), axis.place(200) - axis.place(20), 1e-12);
}

TEST(Frame, DataLieInside) {
  const Frame frame({400, 300}, axis_of_shares("x", 0, 1), axis_of_shares("y", 0, 1));
  const Box inside = frame.inside();
  EXPECT_EQ(frame.at(0, 0).x, inside.x);
  EXPECT_EQ(frame.at(0, 0).y, inside.bottom());
  EXPECT_EQ(frame.at(1, 1).x, inside.right());
  EXPECT_EQ(frame.at(1, 1).y, inside.y);
}

}  // namespace
}  // namespace lichen::eval
