// The Gregorian calendar, for the makers of tasks and the check of dates.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lichen::eval::tasks {

struct Date {
  int year = 2000;
  int month = 1;
  int day = 1;

  auto operator<=>(const Date&) const = default;
};

bool is_leap(int year);
int days_in_month(int year, int month);
bool is_valid(const Date& date);

/// Days since 1970-01-01, and back.
std::int64_t day_number(const Date& date);
Date date_of(std::int64_t day_number);
/// 0 is Monday.
int weekday(const Date& date);

std::string iso(const Date& date);       // 2024-03-05
std::string in_words(const Date& date);  // 5 March 2024

/// The last date that is written in `text`: 2024-03-05, 5 March 2024 or March 5, 2024, with months
/// also in three letters.
std::optional<Date> last_date(std::string_view text);

}  // namespace lichen::eval::tasks
