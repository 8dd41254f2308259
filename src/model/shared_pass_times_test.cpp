#include "model/shared_pass_times.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

/// A machine whose passes take just that.
double machine(double sequences, double tokens) { return 0.4 + sequences * (0.34 + 0.25 * tokens); }

void run(SharedPassTimes& times, double sequences, double tokens, int passes, double slower = 1) {
  for (int i = 0; i < passes; ++i) {
    times.took(sequences, tokens, slower * machine(sequences, tokens));
  }
}

TEST(SharedPassTimes, BeginsWithWhatOneSequenceTakes) {
  const SharedPassTimes times(machine(1, 1), 0.25);
  EXPECT_NEAR(times.ms(1, 1), machine(1, 1), 1e-9);
  EXPECT_NEAR(times.ms(1, 9), machine(1, 9), 1e-9);
}

TEST(SharedPassTimes, LearnsWhatASequenceCostsFromPlainPasses) {
  SharedPassTimes times(machine(1, 1), 0.3);
  run(times, 8, 1, 30);
  EXPECT_NEAR(times.ms(8, 1), machine(8, 1), 0.1 * machine(8, 1));
  EXPECT_NEAR(times.ms(8, 4), machine(8, 4), 0.2 * machine(8, 4));
}

TEST(SharedPassTimes, LearnsWhatATokenCostsFromPassesOfSeveralSizes) {
  SharedPassTimes times(2, 1.5);  // far off
  for (int i = 0; i < 50; ++i) {
    run(times, 8, 1, 4);
    run(times, 8, 4, 4);
    run(times, 3, 6, 4);
  }
  for (const double sequences : {2.0, 4.0, 8.0}) {
    for (const double tokens : {1.0, 3.0, 6.0}) {
      EXPECT_NEAR(times.ms(sequences, tokens), machine(sequences, tokens),
                  0.1 * machine(sequences, tokens))
          << sequences << " x " << tokens;
    }
  }
}

TEST(SharedPassTimes, FollowsASlowerMachine) {
  SharedPassTimes times(machine(1, 1), 0.25);
  run(times, 8, 1, 100);
  run(times, 8, 1, 200, 1.8);
  EXPECT_NEAR(times.ms(8, 1), 1.8 * machine(8, 1), 0.1 * machine(8, 1));
  EXPECT_GT(times.ms(8, 4), machine(8, 4)) << "sizes that are not used move along";
}

TEST(SharedPassTimes, OneInterruptedPassChangesLittle) {
  SharedPassTimes times(machine(1, 1), 0.25);
  run(times, 8, 1, 10'000);
  times.took(8, 5, 1'000);
  EXPECT_NEAR(times.ms(8, 1), machine(8, 1), 0.15 * machine(8, 1));
  EXPECT_LT(times.ms(8, 5), 1.5 * machine(8, 5));
}

TEST(SharedPassTimes, NeverNegative) {
  SharedPassTimes times(5, 1);
  for (int i = 0; i < 100; ++i) {
    times.took(8, 1, 0.01);
    times.took(2, 8, 50);
  }
  EXPECT_GE(times.ms(1, 1), 0);
  EXPECT_GE(times.ms(8, 0), 0);
}

}  // namespace
}  // namespace lichen::model
