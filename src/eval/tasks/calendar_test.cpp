#include "eval/tasks/calendar.h"

#include <gtest/gtest.h>

namespace lichen::eval::tasks {
namespace {

TEST(Calendar, DaysAndBack) {
  EXPECT_EQ(day_number({1970, 1, 1}), 0);
  EXPECT_EQ(day_number({2000, 3, 1}), 11'017);
  for (std::int64_t day = -200'000; day < 200'000; day += 17) {
    const Date date = date_of(day);
    EXPECT_TRUE(is_valid(date));
    EXPECT_EQ(day_number(date), day);
  }
}

TEST(Calendar, LeapYearsAndWeekdays) {
  EXPECT_TRUE(is_leap(2000) && is_leap(2024));
  EXPECT_FALSE(is_leap(1900) || is_leap(2023));
  EXPECT_EQ(days_in_month(2024, 2), 29);
  EXPECT_EQ(weekday({2024, 3, 5}), 1);    // a Tuesday
  EXPECT_EQ(weekday({1969, 12, 28}), 6);  // a Sunday
}

TEST(Calendar, ReadsDates) {
  EXPECT_EQ(last_date("from 2024-03-05 to 6 March 2024"), (Date{2024, 3, 6}));
  EXPECT_EQ(last_date("Dec. 24"), std::nullopt);
  EXPECT_EQ(last_date("in May 2024"), std::nullopt);
  EXPECT_EQ(iso({987, 1, 2}), "0987-01-02");
}

}  // namespace
}  // namespace lichen::eval::tasks
