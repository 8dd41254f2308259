#include "mechanisms/fusion/lora.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

TEST(LowRank, AddsARowOfTheProduct) {
  // (1 2; 3 4; 5 6) * (1 0 -1; 0 10 1) * 0.5
  const LowRank product{
      .left = {1, 2, 3, 4, 5, 6}, .right = {1, 0, -1, 0, 10, 1}, .rank = 2, .scale = 0.5};
  std::vector<float> row{100, 100, 100};
  add_low_rank(product, 1, row);
  EXPECT_EQ(row, (std::vector<float>{101.5F, 120, 100.5F}));
}

}  // namespace
}  // namespace lichen::mechanisms
