#include "eval/gap.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace lichen::eval {
namespace {

Suite suite_of(const std::vector<std::string>& families) {
  Suite suite;
  for (const std::string& family : families) suite.tasks.emplace_back().family = family;
  return suite;
}

void answer(std::vector<Outcome>& outcomes, const std::string& plan, const std::string& right) {
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (right[i] == ' ') continue;  // was not asked
    outcomes.push_back({.plan = plan, .task = i, .right = right[i] == '1'});
  }
}

constexpr auto kFamilies = {"sum", "sum", "sum", "sum", "sum", "list", "list", "sort"};

Gap gap(const std::string& small, const std::string& student, const std::string& large) {
  std::vector<Outcome> outcomes;
  answer(outcomes, "small", small);
  answer(outcomes, "new", student);
  answer(outcomes, "large", large);
  return gap_of(suite_of({kFamilies.begin(), kFamilies.end()}), "sum", outcomes,
                {.small = "small", .student = "new", .large = "large"});
}

TEST(GapTest, TellsTheLessonFromWhatItCost) {
  const Gap found = gap("10000111", "11100011", "11111   ");
  EXPECT_EQ(found.n, 5);
  EXPECT_EQ(found.small, 1);
  EXPECT_EQ(found.student, 3);
  EXPECT_EQ(found.large, 5);
  EXPECT_EQ(found.closed(), 0.5);
  EXPECT_EQ(found.others_n, 3);
  EXPECT_EQ(found.others_student, 2);
  EXPECT_NEAR(found.others.value, -1.0 / 3, 1e-12);
  EXPECT_LE(found.others.low, found.others.value);
}

TEST(GapTest, AStudentMayBeWorseOrBetterThanEither) {
  EXPECT_EQ(gap("11000111", "10000111", "11110   ").closed(), -0.5);
  EXPECT_EQ(gap("11000111", "11111111", "11100   ").closed(), 3);
}

TEST(GapTest, WhereLargeIsNotBetterThereIsNoGap) {
  const Gap found = gap("11000111", "11100111", "11000   ");
  EXPECT_EQ(found.closed(), std::nullopt);
  EXPECT_TRUE(to_json(found).at("gap_closed").is_null());
}

TEST(GapTest, OnlyTasksThatAllWereAskedCount) {
  const Gap found = gap("1100 111", "11100 11", "1111    ");
  EXPECT_EQ(found.n, 4);
  EXPECT_EQ(found.others_n, 2);
}

}  // namespace
}  // namespace lichen::eval
