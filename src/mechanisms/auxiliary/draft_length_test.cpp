#include "mechanisms/auxiliary/draft_length.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using model::PassTimes;

/// As a GPU: a pass over many tokens costs little more than one over a single token.
PassTimes flat() { return PassTimes({.passes = {{1, 10, 1}, {2, 10, 1}, {32, 12, 1}}}); }
/// As a busy CPU: twice the tokens, twice the time.
PassTimes steep() { return PassTimes({.passes = {{1, 10, 1}, {2, 20, 1}, {32, 320, 1}}}); }
PassTimes small(double ms) { return PassTimes({.passes = {{1, ms, 1}, {32, ms, 1}}}); }

std::size_t drafted(const DraftCosts& costs, double typical, double chance, std::size_t most = 16) {
  DraftLength length(costs, typical, most);
  std::size_t guesses = 0;
  for (; guesses < most && length.worth_more(); ++guesses) length.add(chance);
  return guesses;
}

TEST(DraftLength, ManyGuessesWhereCheckingCostsNothing) {
  const PassTimes target = flat(), drafter = small(0.1);
  const DraftCosts costs{.target = &target, .drafter = &drafter};
  EXPECT_EQ(drafted(costs, 0.95, 0.95), 16U);
  EXPECT_GT(best_rate(costs, 0.95, 16), 5 * best_rate(costs, 0.95, 0));
}

TEST(DraftLength, NoneWhereCheckingCostsAsMuchAsWriting) {
  const PassTimes target = steep(), drafter = small(0.1);
  const DraftCosts costs{.target = &target, .drafter = &drafter};
  EXPECT_EQ(drafted(costs, 0.99, 0.99), 0U);
  EXPECT_DOUBLE_EQ(best_rate(costs, 0.99, 16), 0.1);
}

TEST(DraftLength, NoneByADrafterAsSlowAsItsTarget) {
  const PassTimes target = flat(), drafter = small(10);
  const DraftCosts costs{.target = &target, .drafter = &drafter};
  EXPECT_EQ(drafted(costs, 0.9, 0.9), 0U);
}

TEST(DraftLength, FewerTheLessLikelyTheyAre) {
  const PassTimes target = flat(), drafter = small(1);
  const DraftCosts costs{.target = &target, .drafter = &drafter};
  const std::size_t sure = drafted(costs, 0.95, 0.95), unsure = drafted(costs, 0.5, 0.5);
  EXPECT_GT(sure, unsure);
  EXPECT_GT(unsure, 0U);
  EXPECT_EQ(drafted(costs, 0.02, 0.02), 0U);
}

TEST(DraftLength, SessionsThatShareAPassGuessWhatPaysForThem) {
  const PassTimes target({.passes = {{1, 10, 1}, {8, 12, 1}, {32, 48, 1}}}), drafter = small(0.5);
  DraftCosts costs{.target = &target, .drafter = &drafter};
  const std::size_t alone = drafted(costs, 0.7, 0.7);
  costs.sessions = 4;
  const std::size_t together = drafted(costs, 0.7, 0.7);
  EXPECT_GE(alone, together);
  EXPECT_GT(together, 0U);
  const PassTimes each = steep();
  costs.target = &each;
  EXPECT_EQ(drafted(costs, 0.9, 0.9), 0U) << "each token costs as much as any other there";
}

TEST(DraftLength, TheBestLengthIsThatOfTheBestRate) {
  const PassTimes target({.passes = {{1, 10, 1}, {4, 11, 1}, {5, 30, 1}, {32, 90, 1}}});
  const PassTimes drafter = small(0.5);
  const DraftCosts costs{.target = &target, .drafter = &drafter};
  EXPECT_EQ(best_length(costs, 0.9, 16), 3U);
  EXPECT_EQ(best_length(costs, 0.9, 2), 2U);
  EXPECT_EQ(best_length(costs, 0.01, 16), 0U);
}

TEST(DraftLength, StopsBehindAnUnlikelyGuess) {
  const PassTimes target = flat(), drafter = small(1);
  DraftLength length({.target = &target, .drafter = &drafter}, 0.9, 16);
  length.add(0.95);
  EXPECT_TRUE(length.worth_more());
  length.add(0.01);
  EXPECT_FALSE(length.worth_more());
}

TEST(DraftLength, ChecksNoGuessThatIsNotWorthIt) {
  const PassTimes target({.passes = {{1, 10, 1}, {2, 11, 1}, {4, 13, 1}, {32, 41, 1}}});
  const PassTimes drafter = small(0.1);
  DraftLength length({.target = &target, .drafter = &drafter}, 0.9, 16);
  length.add(0.95);
  length.add(0.95);
  length.add(0.01);
  EXPECT_EQ(length.worth_checking(), 2U);
  DraftLength hopeless({.target = &target, .drafter = &drafter}, 0.9, 16);
  hopeless.add(0.01);
  EXPECT_EQ(hopeless.worth_checking(), 0U);
}

TEST(DraftLength, LooksPastAStepInTheTimes) {
  // Two tokens cost much more than one, but eight hardly more than two.
  const PassTimes target({.passes = {{1, 10, 1}, {2, 19, 1}, {8, 20, 1}, {32, 24, 1}}});
  const PassTimes drafter = small(0.1);
  EXPECT_GT(drafted({.target = &target, .drafter = &drafter}, 0.85, 0.85), 4U);
}

TEST(DraftLength, CopiesAreCheckedWhereNothingElseCosts) {
  const PassTimes target = flat();
  DraftLength length({.target = &target}, 0.5, 4);
  for (int i = 0; i < 4; ++i) length.add(0.9);
  EXPECT_EQ(length.worth_checking(), 4U);
}

}  // namespace
}  // namespace lichen::mechanisms
