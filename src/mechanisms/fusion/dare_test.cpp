#include "mechanisms/fusion/dare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace lichen::mechanisms {
namespace {

TEST(Dare, DropsByTheWordsAndRescales) {
  std::vector<float> deltas{1, 2, 3, 4};
  drop_and_rescale(deltas, 0.25, std::vector<std::uint32_t>{0, 0x3FFFFFFF, 0x40000000, ~0U});
  EXPECT_EQ(deltas, (std::vector<float>{4, 8, 0, 0}));
}

TEST(Dare, KeepsAllAtFullDensity) {
  std::vector<float> deltas{1, 2};
  drop_and_rescale(deltas, 1, std::vector<std::uint32_t>{0, ~0U});
  EXPECT_EQ(deltas, (std::vector<float>{1, 2}));
}

TEST(Dare, KeepsTheMean) {
  constexpr std::size_t kMany = 100'000;
  std::vector<float> deltas(kMany, 1);
  std::vector<std::uint32_t> words(kMany);
  RandomSequence{.seed = 3, .stream = 4}.draw(0, words);
  drop_and_rescale(deltas, 0.3, words);
  const auto kept = kMany - static_cast<std::size_t>(std::ranges::count(deltas, 0.0F));
  EXPECT_NEAR(static_cast<double>(kept) / kMany, 0.3, 0.01);  // over six standard deviations
  EXPECT_NEAR(std::accumulate(deltas.begin(), deltas.end(), 0.0) / kMany, 1, 0.03);
}

}  // namespace
}  // namespace lichen::mechanisms
