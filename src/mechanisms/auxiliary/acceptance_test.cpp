#include "mechanisms/auxiliary/acceptance.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

TEST(Acceptance, BelievesADrafterAtFirst) {
  const Acceptance fresh;
  EXPECT_NEAR(fresh.chance(0.95), 0.965, 0.02);
  EXPECT_NEAR(fresh.chance(0.05), 0.05, 0.01);
  EXPECT_LT(fresh.chance(1), 1) << "no guess is certain";
}

TEST(Acceptance, LearnsWhatAConfidenceIsWorth) {
  Acceptance learned;
  for (int i = 0; i < 300; ++i) {
    learned.checked(0.97, i % 3 == 0);
    learned.checked(0.55, i % 10 != 0);
  }
  EXPECT_NEAR(learned.chance(0.96), 1.0 / 3, 0.03);
  EXPECT_NEAR(learned.chance(0.5), 0.9, 0.03);
  EXPECT_NEAR(learned.chance(0.35), 0.35, 0.01) << "others have not been tried";
}

TEST(Acceptance, ForgetsWhatIsLongAgo) {
  Acceptance learned;
  for (int i = 0; i < 5'000; ++i) learned.checked(0.97, true);
  for (int i = 0; i < 2'000; ++i) learned.checked(0.97, false);
  EXPECT_LT(learned.chance(0.97), 0.05);
}

TEST(AnswerAcceptance, StartsFromThePlanAndFollowsTheAnswer) {
  Acceptance plan;
  for (int i = 0; i < 300; ++i) plan.checked(0.97, true);
  for (int i = 0; i < 300; ++i) plan.guessed(0.9);
  AnswerAcceptance answer(plan);
  EXPECT_NEAR(answer.chance(0.97), 0.99, 0.01);
  EXPECT_NEAR(answer.typical(), 0.9, 0.01);
  for (int i = 0; i < 10; ++i) {
    answer.checked(0.97, false);
    answer.guessed(0.2);
  }
  EXPECT_LT(answer.chance(0.97), 0.4);
  EXPECT_LT(answer.typical(), 0.4);
  EXPECT_GT(plan.chance(0.97), 0.9) << "ten guesses of one answer say little of the next";
  EXPECT_GT(AnswerAcceptance(plan).typical(), 0.7);
}

}  // namespace
}  // namespace lichen::mechanisms
