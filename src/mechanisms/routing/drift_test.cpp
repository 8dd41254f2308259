#include "mechanisms/routing/drift.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

constexpr double kPromised = 0.05;
constexpr double kDelta = 0.05;

/// Draws with this probability, the same in each run.
class Losses {
 public:
  explicit Losses(std::uint64_t seed) : state_(mixed(seed)) {}
  bool draw(double probability) { return unit_interval(mixed(++state_)) < probability; }

 private:
  std::uint64_t state_;
};

int alarms(int runs, int requests, double rate) {
  int count = 0;
  for (int run = 0; run < runs; ++run) {
    BettingTest test(kPromised, kDelta);
    Losses losses(static_cast<std::uint64_t>(run) * 1'000'003);
    for (int i = 0; i < requests && !test.alarmed(); ++i) test.observe(losses.draw(rate));
    count += test.alarmed();
  }
  return count;
}

TEST(BettingTest, CapitalIsTheProductOfItsGains) {
  BettingTest test(0.5, 0.01);
  EXPECT_DOUBLE_EQ(test.capital(), 1);
  test.observe(true);
  // Half has begun: bets i/17 of 2, times 0.5, have the mean 0.5; the other half is set aside.
  EXPECT_NEAR(test.capital(), 0.5 * 1.5 + 0.5, 1e-12);
  EXPECT_EQ(test.losses(), 1);
}

TEST(BettingTest, FalseAlarmsAreRarerThanDelta) {
  // At the bound itself, the worst case: 400 runs may have 20 alarms, give or take 4.
  EXPECT_LE(alarms(400, 3'000, kPromised), 28);
  EXPECT_EQ(alarms(20, 3'000, kPromised * 0.8), 0);
}

TEST(BettingTest, AlarmsSoonAfterAChangeHoweverLate) {
  for (const int good : {0, 500, 20'000}) {
    for (std::uint64_t run = 0; run < 20; ++run) {
      BettingTest test(kPromised, kDelta);
      Losses losses(run);
      for (int i = 0; i < good; ++i) test.observe(losses.draw(kPromised / 2));
      ASSERT_FALSE(test.alarmed());
      int later = 0;
      while (!test.alarmed() && later < 10'000) {
        test.observe(losses.draw(0.2));
        ++later;
      }
      EXPECT_LE(later, 500) << good << " before";
    }
  }
}

class DriftWatchTest : public testing::Test {
 protected:
  ~DriftWatchTest() override { std::filesystem::remove(options_.record); }

  DriftOptions options_{.name = "my.router",
                        .share = 0.25,
                        .delta = kDelta,
                        .promised = kPromised,
                        .calibration = "abc",
                        .record = testing::TempDir() + "drift_test_" + std::to_string(getpid())};
};

TEST_F(DriftWatchTest, LooksAtItsShare) {
  const DriftWatch watch(options_);
  int looked = 0;
  for (int i = 0; i < 4'000; ++i) looked += watch.looks_at("rcpt_" + std::to_string(i));
  EXPECT_NEAR(looked, 1'000, 100);
  EXPECT_EQ(watch.looks_at("rcpt_1"), watch.looks_at("rcpt_1"));
}

TEST_F(DriftWatchTest, AnAlarmLastsUntilTheNextCalibration) {
  {
    DriftWatch watch(options_);
    EXPECT_FALSE(watch.alarmed());
    for (int i = 0; i < 100; ++i) watch.observe(true);
    EXPECT_TRUE(watch.alarmed());
    EXPECT_LT(watch.state().observed, 20) << "nothing is counted after the alarm";
    EXPECT_GE(watch.state().capital, 1 / kDelta);
  }
  EXPECT_TRUE(DriftWatch(options_).alarmed());
  options_.calibration = "def";
  EXPECT_FALSE(DriftWatch(options_).alarmed());
}

TEST_F(DriftWatchTest, AlarmsWithoutAPlaceToKeepIt) {
  options_.record = options_.record / "below" / "no folder";
  DriftWatch watch(options_);
  for (int i = 0; i < 100; ++i) watch.observe(true);
  EXPECT_TRUE(watch.alarmed());
}

}  // namespace
}  // namespace lichen::mechanisms
