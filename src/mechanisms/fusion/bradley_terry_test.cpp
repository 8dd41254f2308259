#include "mechanisms/fusion/bradley_terry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lichen::mechanisms {
namespace {

TEST(BradleyTerry, TwoAreAsStrongAsTheirWins) {
  Wins wins(2);
  wins.of(0, 1) = 3;
  wins.of(1, 0) = 1;
  const auto strengths = bradley_terry(wins, 0);
  EXPECT_NEAR(strengths[0] / strengths[1], 3, 1e-6);
}

// With a prior of 1/2 and 2 comparisons, strengths s and 1/s solve
//   w + 1/2 = 2 s^2 / (s^2 + 1) + s / (s + 1),
// which for s = 2 are w = 8/5 + 2/3 - 1/2 = 53/30 wins.
TEST(BradleyTerry, SolvesByHandWhatThePriorMakesOfIt) {
  Wins wins(2);
  wins.of(0, 1) = 53.0 / 30;
  wins.of(1, 0) = 7.0 / 30;
  const auto strengths = bradley_terry(wins, 0.5);
  EXPECT_NEAR(strengths[0], 2, 1e-8);
  EXPECT_NEAR(strengths[1], 0.5, 1e-8);
}

TEST(BradleyTerry, WhoNeverLostIsFinite) {
  Wins wins(3);
  wins.of(0, 1) = wins.of(0, 2) = wins.of(1, 2) = 2;
  const auto strengths = bradley_terry(wins, 0.5);
  EXPECT_GT(strengths[0], strengths[1]);
  EXPECT_NEAR(strengths[1], 1, 1e-6) << "one won, one lost";
  EXPECT_NEAR(strengths[0] * strengths[2], 1, 1e-6);
  EXPECT_LT(strengths[0], 20);
}

TEST(BradleyTerry, ACircleAndNothingAtAllAreDraws) {
  Wins circle(3);
  circle.of(0, 1) = circle.of(1, 2) = circle.of(2, 0) = 1;
  for (const Wins& wins : {circle, Wins(3)}) {
    for (const double strength : bradley_terry(wins, 0.5)) EXPECT_NEAR(strength, 1, 1e-9);
  }
}

/// What each pair is expected to win in `times` comparisons.
Wins expected_wins(const std::vector<double>& strengths, double times) {
  Wins wins(strengths.size());
  for (std::size_t i = 0; i < strengths.size(); ++i) {
    for (std::size_t j = 0; j < strengths.size(); ++j) {
      if (i != j) wins.of(i, j) = times * strengths[i] / (strengths[i] + strengths[j]);
    }
  }
  return wins;
}

TEST(BradleyTerry, RecoversTheStrengthsThatMadeTheWins) {
  const std::vector<double> wanted{4, 0.25, 1, 2, 0.5};
  const auto found = bradley_terry(expected_wins(wanted, 2), 0);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(found[i] / found[2], wanted[i], 1e-6) << i;
  }
}

TEST(BradleyTerry, RecoversTheOrderFromDraws) {
  const std::vector<double> wanted{8, 4, 2, 1, 0.5};
  std::mt19937 random(1);
  Wins wins(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (std::size_t j = i + 1; j < wanted.size(); ++j) {
      for (int k = 0; k < 200; ++k) {
        const double draw = static_cast<double>(random()) / 4294967296.0;
        const bool first = draw < wanted[i] / (wanted[i] + wanted[j]);
        wins.of(first ? i : j, first ? j : i) += 1;
      }
    }
  }
  const auto found = bradley_terry(wins, 0.5);
  EXPECT_TRUE(std::ranges::is_sorted(found, std::ranges::greater()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(std::log(found[i] / found[2]), std::log(wanted[i] / wanted[2]), 0.35) << i;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
