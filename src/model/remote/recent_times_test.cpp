#include "model/remote/recent_times.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

using std::chrono::milliseconds;

TEST(RecentTimes, AFewSayNothing) {
  RecentTimes times;
  for (std::size_t i = 0; i + 1 < RecentTimes::kEnough; ++i) times.add(milliseconds(1));
  EXPECT_FALSE(times.percentile(50));
  times.add(milliseconds(1));
  EXPECT_EQ(times.percentile(50), milliseconds(1));
}

TEST(RecentTimes, Percentiles) {
  RecentTimes times;
  for (int i = 100; i >= 1; --i) times.add(milliseconds(i));
  EXPECT_EQ(times.percentile(50), milliseconds(50));
  EXPECT_EQ(times.percentile(95), milliseconds(95));
  EXPECT_EQ(times.percentile(99), milliseconds(99));
}

TEST(RecentTimes, TheOldestGo) {
  RecentTimes times;
  for (std::size_t i = 0; i < RecentTimes::kKept; ++i) times.add(milliseconds(1'000));
  for (std::size_t i = 0; i < RecentTimes::kKept; ++i) times.add(milliseconds(1));
  EXPECT_EQ(times.percentile(99), milliseconds(1));
}

}  // namespace
}  // namespace lichen::model
