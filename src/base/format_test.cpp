#include "base/format.h"

#include <gtest/gtest.h>

namespace lichen::base {
namespace {

TEST(Format, Numbers) {
  EXPECT_EQ(format_percent(0.1234), "12.3 %");
  EXPECT_EQ(format_percent(1), "100.0 %");
  EXPECT_EQ(format_ms(0.84), "0.8 ms");
  EXPECT_EQ(format_ms(12.4), "12 ms");
  EXPECT_EQ(format_ms(3'402), "3.40 s");
  EXPECT_EQ(format_usd(0), "$0.00");
  EXPECT_EQ(format_usd(1.2), "$1.20");
  EXPECT_EQ(format_usd(0.0000123), "$0.000012");
  EXPECT_EQ(format_usd(0.05), "$0.050");
  EXPECT_EQ(format_joules(0.4249), "0.42 J");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'000), "1,000");
  EXPECT_EQ(format_count(-1'234'567), "-1,234,567");
  EXPECT_EQ(format_count(-123), "-123");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(25'300'000), "25.3 MB");
  EXPECT_EQ(format_bytes(999'999), "1.0 MB");
}

}  // namespace
}  // namespace lichen::base
