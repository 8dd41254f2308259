#include "mechanisms/fusion/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lichen::mechanisms {
namespace {

using Values = std::vector<float>;

Values sum_of(const std::vector<Values>& models, const std::vector<double>& weights) {
  std::vector<const float*> pointers;
  for (const Values& model : models) pointers.push_back(model.data());
  Values out(models.front().size());
  weighted_sum(pointers, weights, out);
  return out;
}

TEST(WeightedSum, AddsUp) {
  EXPECT_EQ(sum_of({{1, -2}, {3, 6}}, {0.5, 0.25}), (Values{1.25F, 0.5F}));
  EXPECT_EQ(sum_of({{1, 2}}, {2}), (Values{2, 4}));
}

TEST(WeightedSum, LeavesWhatAllAgreeOn) {
  const Values odd{0.1F, -1e-30F, 3.3333333F, 65'504, std::numeric_limits<float>::max()};
  EXPECT_EQ(sum_of({odd, odd, odd}, {0.3, 0.3, 0.4}), odd);
}

TEST(LargestMagnitude, SeesWhatIsNoNumber) {
  EXPECT_EQ(largest_magnitude(Values{1, -3, 2}), 3);
  EXPECT_EQ(largest_magnitude(Values{}), 0);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(largest_magnitude(Values{1, -infinity}), infinity);
  EXPECT_TRUE(
      std::isnan(largest_magnitude(Values{infinity, std::numeric_limits<float>::quiet_NaN(), 1})));
}

}  // namespace
}  // namespace lichen::mechanisms
