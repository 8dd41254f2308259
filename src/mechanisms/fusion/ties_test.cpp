#include "mechanisms/fusion/ties.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lichen::mechanisms {
namespace {

using Values = std::vector<float>;

/// The magnitude that `kept` elements reach, counted in two parts as workers do.
float least_of(const Values& values, std::uint64_t kept) {
  const auto first = std::span(values).first(values.size() / 3);
  const auto second = std::span(values).subspan(first.size());
  MagnitudeCounts a, b;
  a.count_upper(first);
  b.count_upper(second);
  a += b;
  const auto upper = a.find(kept);
  a.clear();
  b.clear();
  a.count_lower(first, upper.bucket);
  b.count_lower(second, upper.bucket);
  a += b;
  return MagnitudeCounts::magnitude(upper.bucket, a.find(upper.within).bucket);
}

TEST(MagnitudeCounts, FindTheNthLargest) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1e-3F);
  Values values(2'000);
  for (float& value : values) value = normal(random);
  values[5] = values[6] = -values[7];
  values[8] = 0;
  values[9] = 1e-42F;  // not normalized
  values[10] = -1e30F;
  Values sorted(values);
  std::ranges::sort(sorted, std::greater(), [](float value) { return std::abs(value); });
  for (const std::size_t n : {1U, 2U, 3U, 500U, 1'000U, 1'999U, 2'000U}) {
    EXPECT_EQ(least_of(values, n), std::abs(sorted[n - 1])) << n;
  }
}

TEST(Trim, KeepsTheLargest) {
  EXPECT_EQ(kept_elements(10, 0.25), 2U);
  EXPECT_EQ(kept_elements(10, 0.01), 1U) << "never none";
  EXPECT_EQ(kept_elements(10, 1), 10U);
  Values deltas{1, -3, 0, 2, -2};
  trim(deltas, 2);
  EXPECT_EQ(deltas, (Values{0, -3, 0, 2, -2}));
}

Values elected(const std::vector<Values>& deltas, const Election& election) {
  std::vector<const float*> pointers;
  for (const Values& delta : deltas) pointers.push_back(delta.data());
  const Values base(deltas.front().size(), 10);
  Values out(base.size());
  elect_and_merge(base, pointers, election, out);
  return out;
}

TEST(Elect, AveragesThoseOfTheElectedSign) {
  const std::vector<double> equal{1, 1, 1};
  // 4 and 2 outvote -3; where -5 outvotes 1 and 1, it stands alone; trimmed ones have no vote.
  EXPECT_EQ(elected({{4, 1, 0, 0}, {2, 1, 3, 0}, {-3, -5, 0, 0}}, {.weights = equal}),
            (Values{13, 5, 13, 10}));
}

TEST(Elect, WeighsVotesAndMeans) {
  const std::vector<double> weights{3, 1};
  EXPECT_EQ(elected({{1, 1}, {-2, 5}}, {.weights = weights}), (Values{11, 12}));
  EXPECT_EQ(elected({{1, 1}, {-2, 5}}, {.weights = weights, .lambda = 2, .mean = false}),
            (Values{16, 26}));
}

TEST(Elect, TakesManyElements) {
  const std::vector<double> one{1};
  const Values delta(1'300, 1);
  EXPECT_EQ(elected({delta}, {.weights = one}), Values(1'300, 11));
}

}  // namespace
}  // namespace lichen::mechanisms
