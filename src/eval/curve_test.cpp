#include "eval/curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace lichen::eval {
namespace {

using testing::ElementsAre;

/// Small is right on one of four requests, large on three; one only small gets right.
const Replay kOnlySmall{.small_right = true, .large_right = false};
const Replay kOnlyLarge{.small_right = false, .large_right = true};
const Replay kNeither{};
const Replay kBoth{.small_right = true, .large_right = true};

constexpr CurveFigures kNone{.apgr = -1};  // equals no expectation

Replay scored(Replay replay, double score) {
  replay.score = score;
  return replay;
}

TEST(QualityCurve, GoesFromSmallToLargeInTheOrderOfScores) {
  const std::vector<Replay> requests = {scored(kBoth, 4), scored(kOnlyLarge, 1),
                                        scored(kNeither, 2), scored(kOnlyLarge, 3)};
  EXPECT_THAT(quality_curve(requests),
              ElementsAre(CurvePoint{0, 0.25}, CurvePoint{0.25, 0.5}, CurvePoint{0.5, 0.5},
                          CurvePoint{0.75, 0.75}, CurvePoint{1, 0.75}));
  EXPECT_THAT(quality_curve({}), ElementsAre());
}

TEST(Auroc, IsTheShareOfPairsInTheRightOrder) {
  const std::vector<Replay> requests = {scored(kOnlySmall, 3), scored(kBoth, 1),
                                        scored(kNeither, 2), scored(kOnlyLarge, 0)};
  EXPECT_EQ(auroc(requests), 0.75) << "all but 1 against 2";
  const std::vector<Replay> ties = {scored(kOnlySmall, 1), scored(kNeither, 1),
                                    scored(kNeither, -std::numeric_limits<double>::infinity())};
  EXPECT_EQ(auroc(ties), 0.75);
  EXPECT_EQ(auroc(std::vector{scored(kBoth, 1), scored(kOnlySmall, 2)}), std::nullopt);
  EXPECT_EQ(auroc({}), std::nullopt);
}

TEST(QualityCurve, RequestsOfOneScoreAreOneStep) {
  const std::vector<Replay> requests = {scored(kOnlyLarge, 1), scored(kNeither, 1),
                                        scored(kOnlySmall, 2), scored(kOnlyLarge, 1)};
  EXPECT_THAT(quality_curve(requests),
              ElementsAre(CurvePoint{0, 0.25}, CurvePoint{0.75, 0.75}, CurvePoint{1, 0.5}));
}

TEST(QualityCurve, WhatHasNoScoreGoesToLargeFirst) {
  const std::vector<Replay> requests = {
      scored(kNeither, -1e300), scored(kOnlyLarge, -std::numeric_limits<double>::infinity())};
  EXPECT_THAT(quality_curve(requests),
              ElementsAre(CurvePoint{0, 0}, CurvePoint{0.5, 0.5}, CurvePoint{1, 0.5}));
}

TEST(CurveFigures, Exact) {
  // PGR 0, 0.5, 0.5, 1, 1 at shares 0, 1/4, 1/2, 3/4, 1: its mean is (0.25+0.5+0.75+1)/4.
  const std::vector<CurvePoint> curve = {
      {0, 0.25}, {0.25, 0.5}, {0.5, 0.5}, {0.75, 0.75}, {1, 0.75}};
  const auto figures = figures_of(curve).value_or(kNone);
  EXPECT_DOUBLE_EQ(figures.apgr, 0.625);
  EXPECT_DOUBLE_EQ(figures.cpt50.value_or(-1), 0.25);
  EXPECT_DOUBLE_EQ(figures.cpt80.value_or(-1), 0.5 + 0.25 * 0.6);
}

TEST(CurveFigures, AtRandomIsTheDiagonal) {
  const auto figures = figures_of(std::vector<CurvePoint>{{0, 0.2}, {1, 0.7}}).value_or(kNone);
  EXPECT_DOUBLE_EQ(figures.apgr, 0.5);
  EXPECT_DOUBLE_EQ(figures.cpt50.value_or(-1), 0.5);
  EXPECT_DOUBLE_EQ(figures.cpt80.value_or(-1), 0.8);
}

TEST(CurveFigures, OracleIsBestAndMayPassLarge) {
  std::vector<Replay> requests = {kOnlySmall, kOnlyLarge, kOnlyLarge, kNeither};
  for (Replay& request : requests) {
    request.score = oracle_score(request.small_right, request.large_right);
  }
  const auto curve = quality_curve(requests);
  EXPECT_THAT(curve, ElementsAre(CurvePoint{0, 0.25}, CurvePoint{0.5, 0.75}, CurvePoint{0.75, 0.75},
                                 CurvePoint{1, 0.5}));
  // PGR 0, 2, 2, 1: areas 0.5, 0.5 and 0.375.
  const auto figures = figures_of(curve).value_or(kNone);
  EXPECT_DOUBLE_EQ(figures.apgr, 1.375);
  EXPECT_DOUBLE_EQ(figures.cpt80.value_or(-1), 0.2);
}

TEST(CurveFigures, NoneWhereThereIsNoGap) {
  EXPECT_FALSE(figures_of({}));
  EXPECT_FALSE(figures_of(std::vector<CurvePoint>{{0, 0.5}, {1, 0.5}}));
  EXPECT_FALSE(figures_of(std::vector<CurvePoint>{{0, 0.5}, {1, 0.25}}));
  EXPECT_EQ(gap_recovered(0.5, 0.5, 0.5), std::nullopt);
  EXPECT_EQ(gap_recovered(0.75, 0.5, 1), 0.5);
  EXPECT_EQ(gap_recovered(0.25, 0.5, 1), -0.5) << "worse than small alone";
}

}  // namespace
}  // namespace lichen::eval
