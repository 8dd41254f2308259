// Days, months and weekdays. Long spans are worked month by month, since that is what can be done
// in one's head.
#include <algorithm>

#include "eval/tasks/calendar.h"
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kDateAfter[] = {
    "What date is {n} days after {d}?",
    "Which day comes {n} days after {d}?",
    "Add {n} days to {d}.",
    "It is {d}. What is the date in {n} days?",
    "A parcel needs {n} days and leaves on {d}. On which date does it come?",
    "If a parcel leaves on {d} and needs {n} days, when does it arrive?",
    "A ship leaves on {d} and takes {n} days to cross the sea. When does it come?",
    "A letter takes {n} days. It leaves on {d}. On which day does it come?",
    "Give the date that comes {n} days later than {d}.",
    "[Give|Tell me] the day that is {n} days after {d}.",
    "Which date do you get for {d} plus {n} days?",
    "Work out what date it will be {n} days after {d}.",
    "Work out {d} plus {n} days.",
    "Which date is {n} days later than {d}?",
    "If today is {d}, what day comes {n} days later?",
    "If you add {n} days to {d}, what date is it then?",
    "Today it is {d}. [Tell me|Say] the date in {n} days.",
    "I need a date: {n} days after {d}.",
    "Today is {d}. Which date is it {n} days from now?",
    "Starting on {d}, what is the date {n} days later?",
    "A parcel leaves on {d} and takes {n} days. When does it come?",
    "Give the date {n} days after {d}.",
    "What is the date {n} days later than {d}?",
    "{d} plus {n} days is which date?",
    "Work out the date that is {n} days after {d}.",
    "If it is {d} today, what date is it in {n} days?"};
constexpr std::string_view kDateBefore[] = {
    "What date is {n} days before {d}?",
    "Which day comes {n} days before {d}?",
    "Take {n} days from {d}.",
    "It is {d}. What was the date {n} days ago?",
    "Today it is {d}. What day was it {n} days ago?",
    "If today is {d}, which date was it {n} days before?",
    "The date today is {d}. [Tell me|Say] what it was {n} days ago.",
    "A parcel needed {n} days and came on {d}. On which date did it leave?",
    "After {n} days on the way, a parcel came on {d}. When was it sent?",
    "A ship came in on {d} after {n} days at sea. When did it leave?",
    "[Give|Say] the day that is {n} days before {d}.",
    "Give the date that comes {n} days earlier than {d}.",
    "Which date is {n} days earlier than {d}?",
    "Which date do you get for {d} minus {n} days?",
    "[Work out|Compute] {d} minus {n} days.",
    "I need a date: {n} days before {d}.",
    "If you take {n} days from {d}, what is the date?",
    "Go back {n} days from {d}. Which date is it?",
    "Today is {d}. Which date was it {n} days ago?",
    "A parcel came on {d} after {n} days. When did it leave?",
    "Give the date {n} days before {d}.",
    "What is the date {n} days earlier than {d}?",
    "{d} minus {n} days is which date?",
    "If it is {d} today, what date was it {n} days ago?"};
constexpr std::string_view kDaysBetween[] = {
    "How many days are there from {a} to {b}?",
    "How many days after {a} is {b}?",
    "What is the number of days between {a} and {b}?",
    "Count the days from {a} to {b}.",
    "Today is {a}. How many days is it until {b}?",
    "If today is {a}, how long is it to {b}, in days?",
    "If it is {a} now, how many days are there until {b}?",
    "It is {a} today. [Count|Give] the days until {b}.",
    "What is the difference between {a} and {b}, in days?",
    "[Give|Tell me] the number of days from {a} to {b}.",
    "Work out the difference from {a} to {b} in days.",
    "How long do I wait from {a} to {b}? [Give|Say] the days.",
    "By how many days is {b} later than {a}?",
    "{b} is later than {a}. By how many days?",
    "I need to know how many days there are between {a} and {b}.",
    "In how many days does {b} come, counted from {a}?",
    "{a}, then {b}: how many days later is that?",
    "A parcel leaves on {a} and comes on {b}. How many days is that?",
    "In days, how much time is there between {a} and {b}?",
    "A trip starts on {a} and ends on {b}. How many days later is that?",
    "It is {a}. In how many days is {b}?",
    "Give the difference in days between {a} and {b}.",
    "How long is it from {a} to {b}, in days?",
    "From {a} to {b}, how many days are there?",
    "How many days later than {a} is {b}?",
    "If it is {a} today, in how many days is {b}?"};
constexpr std::string_view kMonthAfter[] = {
    "What date is {n} months after {d}?",
    "Add {n} months to {d}.",
    "Today is {d}. Which date is it {n} months from now?",
    "A contract of {n} months starts on {d}. On which date is it over?",
    "It is {d} today. [Tell me|Say] the date in {n} months.",
    "Today it is {d}. What day is it in {n} months?",
    "If today is {d}, which date comes {n} months later?",
    "If you add {n} months to {d}, what date is it then?",
    "[Give|Tell me] the day that comes {n} months after {d}.",
    "Give the date that is {n} months later than {d}.",
    "Which date is {n} months later than {d}?",
    "Which date do you get for {d} plus {n} months?",
    "Work out {d} plus {n} months.",
    "I need a date: {n} months after {d}.",
    "Starting on {d}, which day is it {n} months later?",
    "A loan of {n} months starts on {d}. When is it over?",
    "{n} months after {d}, what is the date?",
    "Go {n} months on from {d}. Which date is it?",
    "It is {d}. What is the date in {n} months?",
    "Give the date {n} months after {d}.",
    "Which day comes {n} months after {d}?",
    "What is the date {n} months later than {d}?",
    "{d} plus {n} months is which date?",
    "If it is {d} today, what date is it in {n} months?"};
constexpr std::string_view kMonthBefore[] = {
    "What date is {n} months before {d}?",
    "Take {n} months from {d}.",
    "It is {d} today. [Tell me|Say] the date {n} months ago.",
    "Today it is {d}. What day was it {n} months ago?",
    "If today is {d}, which date was it {n} months earlier?",
    "If you take {n} months from {d}, what date is it then?",
    "[Give|Tell me] the day that comes {n} months before {d}.",
    "Give the date that is {n} months earlier than {d}.",
    "Which date comes {n} months earlier than {d}?",
    "Which date do you get for {d} minus {n} months?",
    "[Work out|Compute] {d} minus {n} months.",
    "I need a date: {n} months before {d}.",
    "A contract of {n} months was over on {d}. On which date did it start?",
    "{n} months before {d}, what was the date?",
    "Go back {n} months from {d}. Which day is it?",
    "The date today is {d}. What was it {n} months ago?",
    "Today is {d}. Which date was it {n} months ago?",
    "It is {d}. What was the date {n} months ago?",
    "Give the date {n} months before {d}.",
    "Which day comes {n} months before {d}?",
    "{d} minus {n} months is which date?",
    "If it is {d} today, what date was it {n} months ago?"};
constexpr std::string_view kWeekdayAfter[] = {
    "Today is {w}. What day of the week is it in {n} days?",
    "It is {w}. Which weekday comes {n} days later?",
    "Which day of the week is {n} days after a {w}?",
    "It is {w} now. [Tell me|Say] the weekday {n} days from now.",
    "Now it is {w}. Which day of the week is it {n} days from now?",
    "If it is {w} today, what day comes {n} days later?",
    "If we start at {w}, what weekday is it after {n} days?",
    "Starting at {w}, which weekday comes {n} days later?",
    "Go {n} days on from {w}. What day of the week is it?",
    "Start on a {w} and go on by {n} days. [Give|Say] the weekday.",
    "Which weekday do you get for {w} plus {n} days?",
    "Work out {w} plus {n} days and give the day of the week.",
    "[Give|Tell me] the day of the week {n} days after {w}.",
    "What day of the week is {n} days later than {w}?",
    "Which weekday is {n} days later than a {w}?",
    "{n} days after a {w}, what weekday is it?",
    "I need the weekday {n} days after {w}.",
    "It is {w}. What weekday will it be in {n} days?",
    "If you add {n} days to {w}, which day of the week is it?",
    "If it is {w} now, what weekday is it {n} days from now?",
    "Start at {w} and go {n} days on. Which weekday is it?",
    "{w} plus {n} days is which day of the week?",
    "What weekday comes {n} days after {w}?",
    "If today is {w}, which day of the week is it in {n} days?",
    "Give the weekday {n} days later than {w}."};
constexpr std::string_view kWeekdayOf[] = {
    "{a} is a {w}. What day of the week is {b}?",
    "If {a} is a {w}, which weekday is {b}?",
    "{a} is a {w}. On which [weekday|day of the week] does {b} fall?",
    "If {a} falls on a {w}, which day of the week is {b}?",
    "{a} falls on a {w}. [Tell me|Give me] the weekday of {b}.",
    "Given that {a} is a {w}, what day of the week does {b} fall on?",
    "Given the {w} {a}, which weekday is {b}?",
    "It is given that {a} is a {w}. What weekday is {b}?",
    "In one week, the {w} is {a}. What day of the week is {b}?",
    "The {w} of a week is {a}. [Give|Work out] the weekday of {b}.",
    "The {w} of one week falls on {a}. On which weekday does {b} fall?",
    "What weekday is {b} when {a} is a {w}?",
    "Which day of the week does {b} fall on, when {a} falls on a {w}?",
    "I need the weekday of {b}. {a} is a {w}.",
    "{b} is which day of the week, if {a} is a {w}?",
    "Today is {w}, {a}. Which weekday is {b}?",
    "We know that {a} is a {w}. What is the weekday of {b}?",
    "Take the week of {a}. That day is a {w}. Which weekday is {b}?",
    "It is {a}, and that day is a {w}. What day of the week is {b}?",
    "Given that {a} falls on a {w}, on which weekday does {b} fall?",
    "{a} falls on a {w}. Which day of the week is {b}?",
    "The {w} of that week is {a}. What weekday is {b}?",
    "Which weekday is {b}, if {a} is a {w}?",
    "What day of the week is {b}, given that {a} is a {w}?",
    "On which weekday does {b} fall, if {a} falls on a {w}?"};

/// A date as a question writes it; answers are always written as 2024-03-05.
std::string written(Maker& maker, const Date& date) {
  return maker.random.chance(30) ? in_words(date) : iso(date);
}

Date random_date(Random& random, int first_year, int last_year) {
  Date date{.year = random.between(first_year, last_year), .month = random.between(1, 12)};
  date.day = random.between(1, days_in_month(date.year, date.month));
  return date;
}

/// Whole months from `from` on as long as they fit in `days`, then the rest: one step each.
std::vector<std::string> steps_forward(Date from, int days) {
  std::vector<std::string> steps;
  while (days > 0) {
    const int left =
        days_in_month(from.year, from.month) - from.day + 1;  // to the next month's 1st
    if (days < left) {
      const Date end{.year = from.year, .month = from.month, .day = from.day + days};
      steps.push_back(text(iso(from), " + ", days, " = ", iso(end)));
      break;
    }
    from = date_of(day_number(from) + left);
    days -= left;
    steps.push_back(text("+ ", left, " = ", iso(from), ", ", days, " left"));
  }
  return steps;
}

std::vector<std::string> steps_back(Date from, int days) {
  std::vector<std::string> steps;
  while (days > 0) {
    if (days < from.day) {
      const Date end{.year = from.year, .month = from.month, .day = from.day - days};
      steps.push_back(text(iso(from), " - ", days, " = ", iso(end)));
      break;
    }
    const int gone = from.day;  // to the last day of the month before
    from = date_of(day_number(from) - gone);
    days -= gone;
    steps.push_back(text("- ", gone, " = ", iso(from), ", ", days, " left"));
  }
  return steps;
}

/// The days from one month's start to the next, with their running total.
std::vector<std::string> steps_between(Date from, const Date& to) {
  std::vector<std::string> steps;
  std::int64_t total = 0;
  while (from != to) {
    const Date next = date_of(std::min(
        day_number(to), day_number(from) + days_in_month(from.year, from.month) - from.day + 1));
    const auto part = day_number(next) - day_number(from);
    total += part;
    steps.push_back(text("to ", iso(next), ": ", part, ", total ", total));
    from = next;
  }
  return steps;
}

std::vector<std::string> near_misses(const Date& date) {
  return {iso(date_of(day_number(date) + 1)), iso(date_of(day_number(date) - 1)),
          iso(date_of(day_number(date) + 10))};
}

}  // namespace

Task make_date_add(Maker& maker) {
  Random& random = maker.random;
  const bool back = random.chance(35);
  const int days = random.between(maker.by_level(1, 8, 41, 150), maker.by_level(9, 40, 150, 400));
  Date from = random_date(random, 1990, 2039);
  if (maker.level == 1) from.day = back ? random.between(10, 28) : random.between(1, 19);
  const Date to = date_of(day_number(from) + (back ? -days : days));
  Task task{.question = phrase(maker, back ? Phrasings(kDateBefore) : Phrasings(kDateAfter),
                               {{"d", written(maker, from)}, {"n", text(days)}}),
            .answer = iso(to),
            .check = "date",
            .rivals = near_misses(to)};
  if (maker.level >= 2) task.steps = back ? steps_back(from, days) : steps_forward(from, days);
  return task;
}

Task make_date_difference(Maker& maker) {
  Random& random = maker.random;
  const int days = random.between(maker.by_level(1, 5, 41, 150), maker.by_level(20, 40, 150, 400));
  Date from = random_date(random, 1990, 2039);
  if (maker.level == 1) from.day = random.between(1, 28 - days);
  const Date to = date_of(day_number(from) + days);
  Task task{.question = phrase(maker, kDaysBetween,
                               {{"a", written(maker, from)}, {"b", written(maker, to)}}),
            .answer = text(days),
            .check = "numeric"};
  if (maker.level == 1) return task;
  task.steps = steps_between(from, to);
  return task;
}

Task make_month_add(Maker& maker) {
  Random& random = maker.random;
  const bool back = maker.level >= 2 && random.chance(35);
  const int months = random.between(maker.by_level(2, 2, 5, 13), maker.by_level(4, 11, 23, 60));
  Date from = random_date(random, 1990, 2039);
  if (maker.level == 1) {
    from.month = random.between(1, 12 - months);
    from.day = std::min(from.day, 28);
  }
  if (maker.level >= 3 && random.chance(50)) from.day = days_in_month(from.year, from.month);
  const int index = from.year * 12 + from.month - 1 + (back ? -months : months);
  Date to{.year = index / 12, .month = index % 12 + 1, .day = from.day};
  to.day = std::min(to.day, days_in_month(to.year, to.month));
  Task task{.question = phrase(maker, back ? Phrasings(kMonthBefore) : Phrasings(kMonthAfter),
                               {{"d", written(maker, from)}, {"n", text(months)}}),
            .answer = iso(to),
            .check = "date",
            .rivals = near_misses(to)};
  if (maker.level >= 3) {
    task.question += " If there is no such day, take the month's last.";
    const int years = months / 12;
    const int rest = months % 12;
    const char sign = back ? '-' : '+';
    task.steps = {
        text(months, " months = ", years, " years ", rest, " months"),
        text(from.year, " ", sign, " ", years, " = ", from.year + (back ? -years : years)),
        text(from.month, " ", sign, " ", rest, " = ", from.month + (back ? -rest : rest)),
        text(padded(to.year, 4), "-", padded(to.month, 2), " has ",
             days_in_month(to.year, to.month), " days")};
  }
  return task;
}

Task make_weekday(Maker& maker) {
  Random& random = maker.random;
  const int start = random.below(7);
  if (maker.level <= 2) {
    const int days = random.between(maker.by_level(1, 7, 0, 0), maker.by_level(6, 30, 0, 0));
    return {.question = phrase(maker, kWeekdayAfter, {{"w", kWeekdays[start]}, {"n", text(days)}}),
            .answer = std::string(kWeekdays[(start + days) % 7]),
            .rivals = {std::string(kWeekdays[(start + days + 1) % 7]),
                       std::string(kWeekdays[(start + days + 6) % 7])}};
  }
  const int days = random.between(maker.level == 3 ? 3 : 32, maker.level == 3 ? 40 : 200);
  const Date from = random_date(random, 1990, 2039);
  const Date to = date_of(day_number(from) + days);
  const int w = weekday(from);
  Task task{.question = phrase(
                maker, kWeekdayOf,
                {{"a", written(maker, from)}, {"w", kWeekdays[w]}, {"b", written(maker, to)}}),
            .answer = std::string(kWeekdays[weekday(to)]),
            .rivals = {std::string(kWeekdays[(weekday(to) + 1) % 7]),
                       std::string(kWeekdays[(weekday(to) + 6) % 7])}};
  task.steps = steps_between(from, to);
  task.steps.push_back(text(days, " = ", days / 7, " * 7 + ", days % 7));
  task.steps.push_back(text(kWeekdays[w], " + ", days % 7, " = ", task.answer));
  return task;
}

}  // namespace lichen::eval::tasks
