#include "policy/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lichen::policy {
namespace {

const std::vector<std::string> kWords = {"cascade", "fallback", "route", "of"};

TEST(Nearest, FindsSlips) {
  EXPECT_EQ(nearest("cascde", kWords), "cascade");
  EXPECT_EQ(nearest("Route", kWords), "route");
  EXPECT_EQ(nearest("ruote", kWords), "route") << "a swap is one edit";
  EXPECT_EQ(nearest("falback", kWords), "fallback");
  EXPECT_EQ(did_you_mean("rout", kWords), " (did you mean `route`?)");
}

TEST(Nearest, DoesNotGuessWildly) {
  EXPECT_EQ(nearest("blend", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(nearest("xy", kWords), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), kWords), "");
  EXPECT_EQ(nearest("route", {}), "");
  EXPECT_EQ(did_you_mean("blend", kWords), "");
}

TEST(List, IsBounded) {
  EXPECT_EQ(list(kWords), "`cascade`, `fallback`, `route`, `of`");
  EXPECT_EQ(list({}), "");
  EXPECT_TRUE(list(std::vector<std::string>(29, "x")).ends_with("`x` and 5 more"));
}

}  // namespace
}  // namespace lichen::policy
