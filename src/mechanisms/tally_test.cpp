#include "mechanisms/tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lichen::mechanisms {
namespace {

std::size_t wanted(const std::vector<Votes>& cast, const std::vector<Votes>& left) {
  return votes_wanted(cast, left);
}

TEST(VotesWanted, UntilTheLeaderCannotBeCaught) {
  EXPECT_EQ(wanted({}, {1, 1, 1, 1, 1}), 3u);
  EXPECT_EQ(wanted({}, {1, 1, 1, 1}), 3u) << "two of four are no majority";
  EXPECT_EQ(wanted({3}, {1, 1}), 0u);
  EXPECT_EQ(wanted({2, 1}, {1, 1}), 1u);
  EXPECT_EQ(wanted({1, 2}, {1}), 1u) << "a tie is not yet decided";
  EXPECT_EQ(wanted({1, 1}, {}), 0u) << "nobody is left";
}

TEST(VotesWanted, WeightsCountInTheirOrder) {
  EXPECT_EQ(wanted({}, {5, 1, 1}), 1u);
  EXPECT_EQ(wanted({}, {1, 1, 5}), 3u);
  EXPECT_EQ(wanted({5}, {2, 2}), 0u);
  EXPECT_EQ(wanted({4}, {2, 2}), 1u);
}

/// Who wins once all votes are cast: the one with the most, of equal ones the first.
std::size_t winner(const std::vector<Votes>& cast) {
  return static_cast<std::size_t>(std::ranges::max_element(cast) - cast.begin());
}

// Over random votes: once none is wanted, no way of casting the rest makes another win; and with
// one less than are wanted, it is never decided.
TEST(VotesWanted, NeverTooEarlyAndNeverInVain) {
  std::mt19937 random(7);
  const auto draw = [&random](std::size_t below) { return random() % below; };
  constexpr std::size_t kCandidates = 3;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Votes> cast(kCandidates, 0), left;
    for (Votes& votes : cast) votes = static_cast<Votes>(draw(6));
    for (std::size_t i = draw(5); i > 0; --i) left.push_back(static_cast<Votes>(1 + draw(3)));
    const std::size_t needed = wanted(cast, left);
    ASSERT_LE(needed, left.size());
    if (needed == 0) {
      const std::size_t leader = winner(cast);
      for (std::size_t other = 0; other < kCandidates; ++other) {
        std::vector<Votes> final = cast;
        for (const Votes votes : left) final[other] += votes;
        ASSERT_EQ(winner(final), leader);
      }
      continue;
    }
    // All but the last of them for the leader, the others for the second.
    std::vector<Votes> best = cast;
    std::ranges::sort(best, std::ranges::greater());
    for (std::size_t i = 0; i + 1 < needed; ++i) best[0] += left[i];
    for (std::size_t i = needed - 1; i < left.size(); ++i) best[1] += left[i];
    ASSERT_LE(best[0], best[1]);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
