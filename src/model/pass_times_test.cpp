#include "model/pass_times.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

PassTimes measured() { return PassTimes({.passes = {{1, 2, 1}, {2, 3, 1}, {4, 4, 2}, {8, 8, 2}}}); }

TEST(PassTimes, LiesOnLinesBetweenWhatWasMeasured) {
  const PassTimes times = measured();
  EXPECT_DOUBLE_EQ(times.ms(1), 2);
  EXPECT_DOUBLE_EQ(times.ms(2), 3);
  EXPECT_DOUBLE_EQ(times.ms(3), 3.5);
  EXPECT_DOUBLE_EQ(times.ms(6), 6);
  EXPECT_DOUBLE_EQ(times.ms(16), 16) << "the last line goes on";
  EXPECT_DOUBLE_EQ(times.ms(1'000), 1'000);
}

TEST(PassTimes, MoreTokensNeverTakeLessTime) {
  const PassTimes times({.passes = {{1, 2, 1}, {2, 1.5, 1}, {4, 4, 1}}});
  EXPECT_DOUBLE_EQ(times.ms(2), 2);
}

TEST(PassTimes, WithoutAMeasurementAllAreAlike) {
  PassTimes times{StepTimes{}};
  EXPECT_FALSE(times.known());
  times.took(1, 4, 100);
  EXPECT_DOUBLE_EQ(times.ms(1), times.ms(32));
}

TEST(PassTimes, OneMeasurementStandsForAllSizes) {
  PassTimes times({.passes = {{1, 2, 1}}});
  EXPECT_DOUBLE_EQ(times.ms(8), 2);
  times.took(1, 8, 4);
  EXPECT_GT(times.ms(8), 2);
}

TEST(PassTimes, FollowsASlowerMachineAtAllSizes) {
  PassTimes times = measured();
  for (int i = 0; i < 500; ++i) times.took(1, 1, 6);
  EXPECT_NEAR(times.ms(1), 6, 0.1);
  EXPECT_GT(times.ms(8), 9) << "sizes that are not used move along";
}

TEST(PassTimes, LearnsOneSizesOwnTime) {
  PassTimes times = measured();
  for (int i = 0; i < 500; ++i) {
    times.took(1, 1, 2);
    times.took(1, 4, 6);
  }
  EXPECT_NEAR(times.ms(1), 2, 0.3);
  EXPECT_NEAR(times.ms(4), 6, 0.3);
}

TEST(PassTimes, SequencesThatShareAPassAreLearnedApart) {
  PassTimes times = measured();
  EXPECT_DOUBLE_EQ(times.ms(1, 4), times.ms(4));
  const double one = times.ms(8);
  for (int i = 0; i < 100; ++i) times.took(8, 1, 20);
  EXPECT_NEAR(times.ms(8, 1), 20, 1);
  EXPECT_DOUBLE_EQ(times.ms(8), one);
}

TEST(PassTimes, OneInterruptedPassChangesLittle) {
  PassTimes times = measured();
  times.took(1, 4, 4'000);
  EXPECT_LT(times.ms(4), 4.5);
}

}  // namespace
}  // namespace lichen::model
