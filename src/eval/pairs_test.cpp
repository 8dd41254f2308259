#include "eval/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lichen::eval {
namespace {

std::vector<Outcome> outcomes(const std::string& plan, const std::string& right) {
  std::vector<Outcome> all;
  for (std::size_t task = 0; task < right.size(); ++task) {
    if (right[task] == ' ') continue;  // it was not asked
    all.push_back({.plan = plan, .task = task, .right = right[task] == '+'});
  }
  return all;
}

TEST(Pairs, CountsWhoIsRightWhereTheOtherIsNot) {
  auto all = outcomes("a", "++-- +");
  for (const auto& [plan, right] : {std::pair{"b", "+-+-+ "}, {"c", "----+-"}, {"d", "    - "}}) {
    std::ranges::copy(outcomes(plan, right), std::back_inserter(all));
  }
  const auto pairs = pairs_of({"a", "b", "c", "d"}, all);
  ASSERT_EQ(pairs.size(), 5U) << "a and d have no task in common";
  const Pair& ab = pairs[0];
  EXPECT_EQ(ab.first + ab.second, "ab");
  EXPECT_EQ(ab.n, 4);
  EXPECT_EQ(ab.both, 1);
  EXPECT_EQ(ab.only_first, 1);
  EXPECT_EQ(ab.only_second, 1);
  EXPECT_EQ(ab.oracle(), 0.75);
  EXPECT_EQ(ab.agreement(), 0.5);
  EXPECT_EQ(pairs[1].first + pairs[1].second, "ac");
  EXPECT_EQ(pairs[1].oracle(), 0.6);
  const auto json = to_json(pairs);
  EXPECT_EQ(json.at(0).at("oracle"), 0.75);
  EXPECT_EQ(json.at(4).at("second"), "d");
}

TEST(Pairs, OfOnePlanThereAreNone) { EXPECT_TRUE(pairs_of({"a"}, outcomes("a", "+")).empty()); }

}  // namespace
}  // namespace lichen::eval
