#include "model/pass_sharing.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

TEST(PassSharingTest, TextsOfLikeLengthShareAPass) {
  const std::vector<PassCandidate> all = {{120, 1, 0}, {200, 1, 1}, {256, 1, 2}, {31, 1, 3}};
  for (const PassCandidate& front : all) {
    const CellRange range = shared_pass(all, front);
    for (const PassCandidate& other : all) EXPECT_TRUE(range.holds(other.cells));
  }
}

TEST(PassSharingTest, ALongTextDoesNotSlowManyShortOnes) {
  std::vector<PassCandidate> all;
  for (Seq seq = 0; seq < 8; ++seq) all.push_back({100, 1, seq});
  all.push_back({1'500, 1, 8});
  const CellRange of_short = shared_pass(all, all.front());
  EXPECT_TRUE(of_short.holds(100));
  EXPECT_TRUE(of_short.holds(256));
  EXPECT_FALSE(of_short.holds(1'500));
  const CellRange of_long = shared_pass(all, all.back());
  EXPECT_TRUE(of_long.holds(1'500));
  EXPECT_FALSE(of_long.holds(256));
}

TEST(PassSharingTest, APassOfItsOwnMustBeWorthIt) {
  // One short text beside a somewhat longer one: 256 cells more cost less than another pass.
  const std::vector<PassCandidate> pair = {{200, 1, 0}, {400, 1, 1}};
  EXPECT_TRUE(shared_pass(pair, pair[0]).holds(400));
  EXPECT_TRUE(shared_pass(pair, pair[1]).holds(200));
  // A prompt of many tokens is worth it.
  const std::vector<PassCandidate> prompt = {{200, 80, 0}, {400, 1, 1}};
  EXPECT_FALSE(shared_pass(prompt, prompt[0]).holds(400));
}

TEST(PassSharingTest, GapsBetweenNumbersCount) {
  // Without the long text in their midst the short ones are two passes, and then there is the long
  // one's own; all together are one.
  const std::vector<PassCandidate> amidst = {{200, 1, 0}, {200, 1, 1}, {400, 1, 2}, {200, 1, 3}};
  EXPECT_TRUE(shared_pass(amidst, amidst[0]).holds(400));
  const std::vector<PassCandidate> beside = {{200, 1, 0}, {200, 1, 1}, {200, 1, 2}, {400, 1, 3}};
  EXPECT_FALSE(shared_pass(beside, beside[0]).holds(400));
}

TEST(PassSharingTest, EachIsInOneRange) {
  const std::vector<PassCandidate> all = {{100, 4, -1}, {300, 4, 0},   {600, 4, 1},
                                          {900, 4, 2},  {1'300, 4, 3}, {2'000, 4, 4}};
  for (const PassCandidate& front : all) {
    const CellRange range = shared_pass(all, front);
    EXPECT_TRUE(range.holds(front.cells));
    for (const PassCandidate& other : all) {
      if (range.holds(other.cells)) {
        const CellRange same = shared_pass(all, other);
        EXPECT_EQ(same.least, range.least);
        EXPECT_EQ(same.most, range.most);
      }
    }
  }
}

}  // namespace
}  // namespace lichen::model
