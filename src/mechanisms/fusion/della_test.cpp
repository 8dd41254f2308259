#include "mechanisms/fusion/della.h"

#include <gtest/gtest.h>

#include <vector>

#include "mechanisms/fusion/philox.h"

namespace lichen::mechanisms {
namespace {

using Values = std::vector<float>;
using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t word(double share) { return static_cast<std::uint32_t>(share * 0x1p32); }

TEST(MagPrune, KeepsByRank) {
  // By magnitude 1, -2, 3, -4, 5: probabilities 0.25, 0.375, 0.5, 0.625, 0.75.
  MagPrune prune;
  Values row{5, -2, 3, 1, -4};
  prune.apply(row, 0.5, 0.25, Words{word(0.74), word(0.38), word(0.49), word(0.24), word(0.63)});
  EXPECT_EQ(row, (Values{5 / 0.75F, 0, 6, 4, 0}));
}

TEST(MagPrune, RanksEqualOnesAsTheyStand) {
  MagPrune prune;
  Values row{1, -1, 1};
  prune.apply(row, 0.5, 0.25, Words{word(0.3), word(0.4), word(0.7)});
  EXPECT_EQ(row, (Values{0, -2, 1 / 0.75F}));
}

TEST(MagPrune, ARowOfOneHasTheDensity) {
  MagPrune prune;
  Values row{3};
  prune.apply(row, 0.5, 0.25, Words{word(0.49)});
  EXPECT_EQ(row, Values{6});
}

TEST(MagPrune, KeepsTheLargeMoreOftenThanTheSmall) {
  constexpr std::size_t kLength = 100;
  constexpr int kRows = 2'000;
  MagPrune prune;
  int small = 0, large = 0;
  double sum = 0;
  for (int i = 0; i < kRows; ++i) {
    Values row(kLength);
    for (std::size_t j = 0; j < kLength; ++j) row[j] = static_cast<float>(j + 1);
    Words words(kLength);
    RandomSequence{.seed = 9}.draw(static_cast<std::uint64_t>(i) * kLength, words);
    prune.apply(row, 0.5, 0.4, words);
    small += row[0] != 0 ? 1 : 0;
    large += row[kLength - 1] != 0 ? 1 : 0;
    for (const float value : row) sum += value;
  }
  EXPECT_NEAR(small / static_cast<double>(kRows), 0.1, 0.05);
  EXPECT_NEAR(large / static_cast<double>(kRows), 0.9, 0.05);
  EXPECT_NEAR(sum / kRows, kLength * (kLength + 1) / 2.0, 50);  // unbiased
}

}  // namespace
}  // namespace lichen::mechanisms
