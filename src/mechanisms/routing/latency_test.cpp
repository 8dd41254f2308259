#include "mechanisms/routing/latency.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

double at(const Latency& latency, double q) { return latency.quantile(q).value().count(); }

TEST(Latency, TellsNothingBeforeThereIsEnough) {
  Latency latency;
  for (std::size_t i = 0; i < Latency::kLeast; ++i) {
    EXPECT_FALSE(latency.quantile(0.5)) << i;
    latency.add(Latency::Duration(7));
  }
  EXPECT_EQ(at(latency, 0.5), 7);
}

TEST(Latency, HasQuantilesOfWhatWasAdded) {
  Latency latency;
  for (int i = 100; i >= 1; --i) latency.add(Latency::Duration(i));
  EXPECT_EQ(at(latency, 0), 1);
  EXPECT_EQ(at(latency, 0.5), 50);
  EXPECT_EQ(at(latency, 0.95), 95);
  EXPECT_EQ(at(latency, 1), 100);
}

TEST(Latency, ForgetsTheOldest) {
  Latency latency;
  for (std::size_t i = 0; i < Latency::kRemembered; ++i) latency.add(Latency::Duration(1'000));
  for (std::size_t i = 0; i < Latency::kRemembered; ++i) latency.add(Latency::Duration(1));
  EXPECT_EQ(at(latency, 1), 1);
}

}  // namespace
}  // namespace lichen::mechanisms
