#include "eval/tasks/grid_world.h"

#include <gtest/gtest.h>

namespace lichen::eval::tasks {
namespace {

// Column 2 is a wall with a door at (2,1); the key lies at (0,2), the cup at (1,0).
constexpr std::string_view kWorld =
    "grid 5 3\nrobot 0 0\nwall 2 0\nwall 2 2\ndoor 2 1\nthing key 0 2\nthing cup 1 0\n"
    "goal cup 4 1\nsteps 30";
constexpr std::string_view kPlan =
    "down 2, pick key, up 2, right 1, pick cup, down 1, open door, right 3, drop cup";

std::string problem(std::string_view plan) {
  return problem_with(plan, GridWorld::parse(kWorld).value()).value_or("");
}

TEST(GridWorld, TextAndBack) { EXPECT_EQ(GridWorld::parse(kWorld)->to_text(), kWorld); }

TEST(GridWorld, PlanReachesTheGoal) {
  EXPECT_EQ(problem(kPlan), "");
  // Another order of things is as good.
  EXPECT_EQ(problem("right, pick cup, left, down 2, pick key, right, up, open door, right 3, "
                    "drop cup, left"),
            "");
}

TEST(GridWorld, SaysWhatGoesWrong) {
  EXPECT_EQ(problem("left 1"), "the robot leaves the grid");
  EXPECT_EQ(problem("right 2"), "the robot runs into a wall or a closed door");
  EXPECT_EQ(problem("right 1, down 1, right 1"), "the robot runs into a wall or a closed door");
  EXPECT_EQ(problem("right 1, down 1, open door"), "opens a door without the key");
  EXPECT_EQ(problem("down 2, pick key, open door"), "no closed door here");
  EXPECT_EQ(problem("pick cup"), "no cup here");
  EXPECT_EQ(problem("drop cup"), "does not carry the cup");
  EXPECT_EQ(problem("right 1, pick cup"), "the cup is not at the goal");
  EXPECT_EQ(problem("right 1, left 1, right 1, left 9999"), "the robot leaves the grid");
  EXPECT_EQ(problem("jump 2"), "no step: jump 2");
  EXPECT_EQ(problem("right 0"), "no step: right 0");
  EXPECT_EQ(problem(""), "the cup is not at the goal");
  std::string long_way;
  for (int i = 0; i < 20; ++i) long_way += "down 1, up 1, ";
  EXPECT_EQ(problem(long_way), "too many steps");
}

TEST(GridWorld, WhatCannotBeRead) {
  for (const auto* text :
       {"", "grid 3 3\nrobot 0 0", "grid 3 3\ngoal robot 1 1",
        "grid 3 3\nrobot 3 0\ngoal robot 1 1", "grid 3\nrobot 0 0\ngoal robot 1 1",
        "grid 3 3\nrobot 0 0\nlava 1 1\ngoal robot 1 1", "grid 3 3\nrobot 0 -1\ngoal robot 1 1"}) {
    EXPECT_FALSE(GridWorld::parse(text)) << text;
  }
}

}  // namespace
}  // namespace lichen::eval::tasks
