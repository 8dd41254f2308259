#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace lichen::eval {
namespace {

TEST(Percentile, NearestRank) {
  EXPECT_EQ(percentile({}, 50), std::nullopt);
  EXPECT_EQ(percentile(std::vector{7.0}, 50), 7);
  EXPECT_EQ(percentile(std::vector{7.0}, 95), 7);
  const std::vector values = {50.0, 15.0, 40.0, 20.0, 35.0};
  EXPECT_EQ(percentile(values, 5), 15);
  EXPECT_EQ(percentile(values, 30), 20);
  EXPECT_EQ(percentile(values, 40), 20);
  EXPECT_EQ(percentile(values, 50), 35);
  EXPECT_EQ(percentile(values, 100), 50);
}

TEST(Percentile, RankIsNotLiftedByRounding) {
  std::vector<double> values(20);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_EQ(percentile(values, 95), 19);
  EXPECT_EQ(percentile(values, 50), 10);
  values.resize(100);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_EQ(percentile(values, 95), 95);
  EXPECT_EQ(percentile(values, 7), 7);
}

TEST(Mean, OfNoneIsZero) {
  EXPECT_EQ(mean({}), 0);
  EXPECT_EQ(mean(std::vector{1.0, 2.0, 6.0}), 3);
}

/// `ones` of `n` values are 1, the others 0.
std::vector<double> flags(int ones, int n) {
  std::vector<double> values(static_cast<std::size_t>(n), 0.0);
  std::fill_n(values.begin(), ones, 1.0);
  return values;
}

TEST(Bootstrap, EqualValuesHaveNoSpread) {
  EXPECT_EQ(bootstrap_mean({}), Estimate());
  EXPECT_EQ(bootstrap_mean(std::vector{0.5}), (Estimate{0.5, 0.5, 0.5}));
  EXPECT_EQ(bootstrap_mean(flags(40, 40)), (Estimate{1, 1, 1}));
}

/// The ends must be those of the binomial distribution, whose 2.5 % and 97.5 % points are exact:
/// for 2 trials of 1/2 that are 0 and 1, for 100 trials 0.40 and 0.60, for 400 trials of 0.9 0.87
/// and 0.9275.
TEST(Bootstrap, EndsAreTheBinomials) {
  EXPECT_EQ(bootstrap_mean(flags(1, 2)), (Estimate{0.5, 0, 1}));
  EXPECT_EQ(bootstrap_mean(flags(50, 100)), (Estimate{0.5, 0.4, 0.6}));
  const auto many = bootstrap_mean(flags(360, 400));
  EXPECT_EQ(many.value, 0.9);
  EXPECT_NEAR(many.low, 0.87, 0.0026);
  EXPECT_NEAR(many.high, 0.9275, 0.0026);
}

TEST(Bootstrap, SameValuesSameEnds) {
  const auto values = flags(123, 500);
  EXPECT_EQ(bootstrap_mean(values), bootstrap_mean(values));
}

TEST(Bootstrap, PairsTellWhatRowsApartCannot) {
  // Two plans that are right on 50 and 60 of 100 tasks: apart, their intervals overlap. That one is
  // right wherever the other is, only the pairs know.
  const std::vector<double> one = flags(50, 100), other = flags(60, 100);
  std::vector<double> differences;
  differences.reserve(one.size());
  for (std::size_t i = 0; i < one.size(); ++i) differences.push_back(other[i] - one[i]);
  EXPECT_GT(bootstrap_mean(one).high, bootstrap_mean(other).low);
  const auto difference = bootstrap_mean(differences);
  EXPECT_DOUBLE_EQ(difference.value, 0.1);
  EXPECT_GT(difference.low, 0);
}

TEST(Auroc, IsTheShareOfPairsInOrder) {
  EXPECT_EQ(auroc({{1, false}, {2, true}, {3, true}}), 1);
  EXPECT_EQ(auroc({{1, true}, {2, false}, {3, false}}), 0);
  EXPECT_EQ(auroc({{3, true}, {1, true}, {2, false}}), 0.5);
  EXPECT_EQ(auroc({{1, true}, {1, false}, {1, false}, {0, false}}), 2.0 / 3) << "ties count half";
  EXPECT_EQ(auroc({{1, true}}), 0.5);
  EXPECT_EQ(auroc({}), 0.5);
}

}  // namespace
}  // namespace lichen::eval
