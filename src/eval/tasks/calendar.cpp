#include "eval/tasks/calendar.h"

#include <vector>

#include "base/ascii.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

using base::is_digit;
using base::is_letter;

/// A run of digits, a word, or one other character that is no space.
std::vector<std::string> lexemes(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (is_digit(text[i])) {
      while (end < text.size() && is_digit(text[end])) ++end;
    } else if (is_letter(text[i])) {
      while (end < text.size() && is_letter(text[end])) ++end;
    }
    if (text[i] != ' ') found.push_back(lowercase(text.substr(i, end - i)));
    i = end;
  }
  return found;
}

/// 0 where it is none.
int number_in(const std::string& lexeme) {
  if (lexeme.empty() || lexeme.size() > 4) return 0;
  int value = 0;
  for (const char c : lexeme) {
    if (c < '0' || c > '9') return 0;
    value = value * 10 + (c - '0');
  }
  return value;
}

int month_in(const std::string& lexeme) {
  for (int month = 1; month <= 12; ++month) {
    const auto name = lowercase(kMonths[month - 1]);
    if (lexeme == name || lexeme == name.substr(0, 3)) return month;
  }
  return 0;
}

}  // namespace

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year));
}

bool is_valid(const Date& date) {
  return date.year >= 1 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
         date.day <= days_in_month(date.year, date.month);
}

// Both after Howard Hinnant's chrono-compatible algorithms; years start in March.
std::int64_t day_number(const Date& date) {
  const int year = date.year - (date.month <= 2);
  const int era = year / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int64_t>(era) * 146'097 + day_of_era - 719'468;
}

Date date_of(std::int64_t number) {
  number += 719'468;
  const auto era = number / 146'097;
  const auto day_of_era = static_cast<int>(number - era * 146'097);
  const int year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted = (5 * day_of_year + 2) / 153;
  const int month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {.year = year_of_era + static_cast<int>(era) * 400 + (month <= 2),
          .month = month,
          .day = day_of_year - (153 * shifted + 2) / 5 + 1};
}

int weekday(const Date& date) { return static_cast<int>(((day_number(date) + 3) % 7 + 7) % 7); }

std::string iso(const Date& date) {
  return text(padded(date.year, 4), "-", padded(date.month, 2), "-", padded(date.day, 2));
}

std::string in_words(const Date& date) {
  return text(date.day, " ", kMonths[date.month - 1], " ", date.year);
}

std::optional<Date> last_date(std::string_view text) {
  const auto words = lexemes(text);
  std::optional<Date> found;
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    Date date{.year = 0, .month = 0, .day = 0};
    if (words[i].size() == 4 && i + 4 < words.size() && words[i + 1] == "-" &&
        words[i + 3] == "-") {
      date = {number_in(words[i]), number_in(words[i + 2]), number_in(words[i + 4])};
    } else if (const int month = month_in(words[i + 1]); month != 0) {
      date = {number_in(words[i + 2]), month, number_in(words[i])};
    } else if (const int first = month_in(words[i]); first != 0) {
      const std::size_t year = words[i + 2] == "," ? i + 3 : i + 2;
      if (year < words.size()) date = {number_in(words[year]), first, number_in(words[i + 1])};
    }
    if (is_valid(date)) found = date;
  }
  return found;
}

}  // namespace lichen::eval::tasks
