#include "mechanisms/routing/risk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;

TEST(BinomialTail, ExactValues) {
  EXPECT_DOUBLE_EQ(binomial_tail(0, 3, 0.5), 0.125);
  EXPECT_DOUBLE_EQ(binomial_tail(1, 3, 0.5), 0.5);
  EXPECT_DOUBLE_EQ(binomial_tail(2, 3, 0.5), 0.875);
  EXPECT_DOUBLE_EQ(binomial_tail(3, 3, 0.5), 1);
  EXPECT_NEAR(binomial_tail(5, 10, 0.5), 638.0 / 1024, 1e-14);
  EXPECT_NEAR(binomial_tail(2, 20, 0.1), 0.676926805189, 1e-11);  // 0.9^18 (0.81 + 1.8 + 1.9)
  EXPECT_DOUBLE_EQ(binomial_tail(0, 0, 0.3), 1);
  EXPECT_DOUBLE_EQ(binomial_tail(4, 10, 0), 1);
  EXPECT_DOUBLE_EQ(binomial_tail(4, 10, 1), 0);
}

TEST(BinomialTail, HoldsFarOutAndForManyTrials) {
  EXPECT_NEAR(binomial_tail(0, 100'000, 0.001) / std::exp(100'000 * std::log1p(-0.001)), 1, 1e-9);
  EXPECT_EQ(binomial_tail(0, 10'000'000, 0.5), 0) << "under the smallest double";
  EXPECT_NEAR(binomial_tail(500'000, 1'000'000, 0.5), 0.5, 1e-3);
  EXPECT_NEAR(binomial_tail(999'998, 1'000'000, 0.5), 1, 1e-9);
}

TEST(BinomialTail, AddsOnlyWhatCounts) {
  EXPECT_NEAR(binomial_tail(kMostCalibrated / 2, kMostCalibrated, 0.05), 1, 1e-6);
  EXPECT_NEAR(binomial_tail(kMostCalibrated / 2, kMostCalibrated, 0.5), 0.5, 1e-4);
  EXPECT_NEAR(upper_bound(kMostCalibrated / 2, kMostCalibrated, 0.05), 0.5, 1e-4);
}

TEST(UpperBound, ExactValues) {
  // Without a loss: 1 - delta^(1/n). With all but one lost: (1 - delta)^(1/n).
  EXPECT_NEAR(upper_bound(0, 10, 0.05), 1 - std::pow(0.05, 0.1), 1e-12);
  EXPECT_NEAR(upper_bound(9, 10, 0.05), std::pow(0.95, 0.1), 1e-12);
  EXPECT_NEAR(upper_bound(1, 2, 0.19), 0.9, 1e-12);
  EXPECT_EQ(upper_bound(10, 10, 0.05), 1);
  EXPECT_EQ(upper_bound(0, 0, 0.05), 1);
}

TEST(Calibrate, CountsWhatSmallWouldAnswer) {
  const std::vector<Scored> data = {{0.5, true}, {0.1, false}, {0.3, true}, {0.3, false}};
  const Calibration calibration = calibrate(data, std::vector<double>{0.1, 0.3, 0.31, 1.0});
  EXPECT_EQ(calibration.n, 4);
  std::vector<std::int64_t> by_small, losses;
  for (const GridPoint& point : calibration.grid) {
    by_small.push_back(point.by_small);
    losses.push_back(point.losses);
  }
  EXPECT_THAT(by_small, ElementsAre(0, 1, 3, 4)) << "a need at the threshold is large's";
  EXPECT_THAT(losses, ElementsAre(0, 0, 1, 2));
}

TEST(ThresholdGrid, GrowsWithoutRepetitions) {
  EXPECT_THAT(threshold_grid({0.4, 0.2, 0.2, 0.2, 0.3}, 5), ElementsAre(0.2, 0.3, 1.0));
}

TEST(ChooseThreshold, StopsAtTheFirstThatIsNotRejected) {
  // The third would pass again, but only by looking at the data first.
  const Calibration calibration{.n = 100,
                                .grid = {{0.1, 10, 0}, {0.2, 20, 1}, {0.3, 30, 8}, {0.4, 40, 1}}};
  const auto choice = choose_threshold(calibration, {.alpha = 0.05, .delta = 0.1});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->threshold, 0.2);
  EXPECT_EQ(choice->at.by_small, 20);
  EXPECT_NEAR(binomial_tail(1, 100, choice->upper_bound), 0.1, 1e-9);
  EXPECT_LT(choice->upper_bound, 0.05);
}

TEST(ChooseThreshold, NoneOfTooLittleData) {
  const RiskTarget target{.alpha = 0.05, .delta = 0.1};
  EXPECT_EQ(least_data(target), 45);  // 0.95^45 = 0.0994, 0.95^44 = 0.1047
  const auto clean = [](std::int64_t n) { return Calibration{.n = n, .grid = {{0.5, n, 0}}}; };
  EXPECT_FALSE(choose_threshold(clean(44), target));
  EXPECT_TRUE(choose_threshold(clean(45), target));
  EXPECT_FALSE(choose_threshold({}, target)) << "nothing was tested";
}

TEST(ChooseThreshold, BreaksAlphaInAtMostDeltaOfManyCalibrations) {
  // Of requests with need u, uniform, the share u is lost: the risk of threshold t is t^2 / 2.
  constexpr int kRuns = 2'000, kRequests = 500;
  const RiskTarget target{.alpha = 0.05, .delta = 0.1};
  std::vector<double> thresholds;
  for (int i = 1; i <= 100; ++i) thresholds.push_back(i / 100.0);
  std::uint64_t state = 1;
  const auto uniform = [&state] { return unit_interval(mixed(state++)); };
  int violations = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<Scored> data(kRequests);
    for (Scored& request : data) {
      request.need = uniform();
      request.lost = uniform() < request.need;
    }
    const auto choice = choose_threshold(calibrate(data, thresholds), target);
    violations += choice && choice->threshold * choice->threshold / 2 > target.alpha;
  }
  const double rate = static_cast<double>(violations) / kRuns;
  EXPECT_LE(rate, target.delta + 3 * std::sqrt(target.delta * (1 - target.delta) / kRuns));
  EXPECT_GE(rate, target.delta / 5) << "the bound gives away more than it has to";
}

}  // namespace
}  // namespace lichen::mechanisms
