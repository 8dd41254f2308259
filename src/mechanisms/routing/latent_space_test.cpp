#include "mechanisms/routing/latent_space.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kColumns = 30;
constexpr std::size_t kWidth = 4;

double dot(const std::vector<float>& directions, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t i = 0; i < kColumns; ++i) {
    sum += static_cast<double>(directions[i * kWidth + a]) * directions[i * kWidth + b];
  }
  return sum;
}

TEST(LatentDirections, FindsTheStrongestOnes) {
  // Two groups of rows on columns of their own, the first stronger; nothing else.
  std::vector<SparseVector> rows;
  for (int i = 0; i < 20; ++i) rows.push_back({{0, 1.0F}, {1, 1.0F}});
  for (int i = 0; i < 5; ++i) rows.push_back({{2, 1.0F}, {kColumns + 7, 100.0F}});
  const auto directions = latent_directions(rows, {.columns = kColumns, .width = kWidth});
  ASSERT_EQ(directions.size(), kColumns * kWidth);
  const auto at = [&](std::size_t column, std::size_t direction) {
    return std::abs(directions[column * kWidth + direction]);
  };
  EXPECT_NEAR(at(0, kWidth - 1), std::sqrt(0.5), 1e-4);
  EXPECT_NEAR(at(1, kWidth - 1), std::sqrt(0.5), 1e-4);
  EXPECT_NEAR(at(2, kWidth - 2), 1, 1e-4);
  EXPECT_NEAR(dot(directions, kWidth - 1, kWidth - 2), 0, 1e-4);
  EXPECT_EQ(dot(directions, 0, 0), 0) << "beyond the rank";
}

TEST(LatentDirections, WithoutRowsThereAreNone) {
  for (const float value : latent_directions({}, {.columns = kColumns, .width = kWidth})) {
    EXPECT_EQ(value, 0);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
