#include "privacy/patterns/street.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ascii.h"

namespace lichen::privacy {
namespace {

using base::is_digit;

bool capital(char c) { return base::is_upper(c) || static_cast<std::uint8_t>(c) >= 0xC3; }
bool letter(char c) { return base::is_letter(c) || static_cast<std::uint8_t>(c) >= 0x80; }
bool in_word(char c) { return letter(c) || is_digit(c) || c == '\'' || c == '.' || c == '-'; }

/// A place in a text, moved over what is there. Each function says whether it was, and moves only
/// then.
class Cursor {
 public:
  Cursor(std::string_view text, std::size_t at) : text_(text), at_(at) {}
  std::size_t at() const { return at_; }

  /// One to three of blanks, line breaks, commas and the `>` of quoted mail.
  bool gap() {
    std::size_t end = at_;
    while (end < text_.size() && end - at_ < 3 &&
           std::string_view(" ,\n\r\t>").find(text_[end]) != std::string_view::npos) {
      ++end;
    }
    return move_to(end);
  }
  bool blank() { return next() == ' ' && move_to(at_ + 1); }
  bool word() {
    if (!capital(next())) return false;
    std::size_t end = at_;
    while (end < text_.size() && end - at_ < 40 && in_word(text_[end])) ++end;
    return move_to(end);
  }
  /// Digits, with one letter behind them.
  bool house_number() {
    std::size_t end = at_;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == at_ || end - at_ > 5) return false;
    if (end < text_.size() && letter(text_[end])) ++end;
    return (end == text_.size() || !(is_digit(text_[end]) || letter(text_[end]))) && move_to(end);
  }
  /// 4 to 6 digits, ZIP+4, or a code of the United Kingdom or Canada.
  bool postal_code() {
    std::size_t end = at_;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end - at_ >= 4 && end - at_ <= 6) {
      const bool four_more = end + 5 <= text_.size() && text_[end] == '-' &&
                             std::ranges::all_of(text_.substr(end + 1, 4), is_digit);
      return move_to(four_more ? end + 5 : end);
    }
    const auto is = [&](std::size_t i, bool wants_digit) {
      return i < text_.size() && (wants_digit ? is_digit(text_[i]) : base::is_upper(text_[i]));
    };
    // Two halves; the second is a digit and two letters, or digit, letter, digit.
    std::size_t half = at_;
    while (half < text_.size() && half - at_ < 4 && (is(half, true) || is(half, false))) ++half;
    if (half - at_ < 2 || !is(at_, false) || half >= text_.size() || text_[half] != ' ')
      return false;
    if (!is(half + 1, true) || !is(half + 2, false)) return false;
    return (is(half + 3, true) || is(half + 3, false)) && move_to(half + 4);
  }
  template <std::size_t count>
  bool any_of(const std::array<std::string_view, count>& words) {
    for (const std::string_view word : words) {
      if (text_.substr(at_, word.size()) == word) return move_to(at_ + word.size());
    }
    return false;
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool move_to(std::size_t end) {
    const bool moved = end > at_;
    at_ = end;
    return moved;
  }

  std::string_view text_;
  std::size_t at_;
};

/// "Apt. 4"
bool unit(Cursor& cursor) {
  constexpr auto kUnits = std::to_array<std::string_view>(
      {"Apartment", "Apt", "apt", "Suite", "suite", "Ste", "Unit", "Floor", "Flat", "Room", "#"});
  Cursor ahead = cursor;
  if (!ahead.gap() || !ahead.any_of(kUnits)) return false;
  ahead.any_of(std::to_array<std::string_view>({". ", ".", " #", " "}));
  if (!ahead.house_number()) return false;
  cursor = ahead;
  return true;
}

/// Where the address ends whose street ends at `end`: behind suites, and behind town, state and
/// code if there is a code, in front of the town or behind it.
std::size_t end_of_address(std::string_view text, std::size_t end) {
  Cursor cursor(text, end);
  for (int units = 0; units < 2 && unit(cursor);) ++units;
  Cursor ahead = cursor;
  if (!ahead.gap()) return cursor.at();
  if (ahead.postal_code()) {
    cursor = ahead;
    for (int words = 0; words < 3 && ahead.blank() && ahead.word(); ++words) cursor = ahead;
    return cursor.at();
  }
  for (int words = 0; words < 5 && ahead.word(); ++words) {  // the last of them may be a state
    if (!ahead.gap()) break;
    if (ahead.postal_code()) return ahead.at();
  }
  return cursor.at();
}

/// Where `count` words in front of `end` begin, each with a blank behind it, as far as they are
/// words of a name.
std::size_t begin_of_names(std::string_view text, std::size_t end, int count) {
  for (; count > 0 && end > 1 && text[end - 1] == ' '; --count) {
    std::size_t word = end - 1;
    while (word > 0 && end - word < 40 && in_word(text[word - 1])) --word;
    if (word == end - 1 || !capital(text[word])) break;
    end = word;
  }
  return end;
}

/// Where the house numbers begin that stand in front of `at`, two at most, each with a blank behind
/// it; `at` where there is none.
std::size_t begin_of_numbers(std::string_view text, std::size_t at) {
  for (int numbers = 0; numbers < 2; ++numbers) {
    std::size_t end = at;
    while (end > 0 && at - end < 2 && (text[end - 1] == ' ' || text[end - 1] == ',')) --end;
    if (end == at) break;
    std::size_t begin = end;
    if (begin > 1 && letter(text[begin - 1]) && is_digit(text[begin - 2])) --begin;
    const std::size_t digits_end = begin;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
    const bool number = digits_end > begin && digits_end - begin <= 6;
    if (!number || (begin > 0 && in_word(text[begin - 1]))) break;
    at = begin;
  }
  return at;
}

std::string_view between(std::string_view text, std::size_t begin, std::size_t end) {
  return text.substr(begin, end - begin);
}

}  // namespace

std::string_view number_name_kind(std::string_view text, std::string_view match) {
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  const std::size_t names = begin_of_names(text, at + 1, 4);
  const std::size_t begin = begin_of_numbers(text, names);
  if (names > at || begin == names) return {};
  return between(text, begin, end_of_address(text, at + match.size()));
}

std::string_view name_kind_number(std::string_view text, std::string_view match) {
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  std::size_t begin = at;
  if (match.front() == ' ') {
    begin = begin_of_names(text, at + 1, 3);
    if (begin > at) return {};
  } else {
    while (begin > 0 && at - begin < 40 && letter(text[begin - 1])) --begin;
    if (begin == at || !capital(text[begin])) return {};
  }
  return between(text, begin_of_numbers(text, begin), end_of_address(text, at + match.size()));
}

std::string_view kind_name(std::string_view text, std::string_view match) {
  constexpr auto kOf = std::to_array<std::string_view>(
      {"de la ", "de l'", "de l’", "della ", "de ", "du ", "des ", "d'",  "d’",  "dei ",
       "do ",    "da ",   "dos ",  "del ",   "la ", "le ", "les ", "al ", "el ", "di "});
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  Cursor cursor(text, at + match.size());
  std::size_t end = at;
  for (int words = 0; words < 5; ++words) {
    Cursor ahead = cursor;
    while (ahead.any_of(kOf)) continue;
    if (!ahead.word()) break;
    cursor = ahead;
    end = cursor.at();
    if (!cursor.blank()) break;
  }
  if (end == at) return {};
  Cursor number(text, end);
  const bool behind =
      (number.any_of(std::to_array<std::string_view>({", ", " "}))) && number.house_number();
  const std::size_t begin = begin_of_numbers(text, at);
  if (!behind && begin == at) return {};
  return between(text, begin, end_of_address(text, behind ? number.at() : end));
}

std::string_view with_town(std::string_view text, std::string_view match) {
  const auto at = static_cast<std::size_t>(match.data() - text.data());
  const std::size_t begin = begin_of_numbers(text, at);
  return between(text, begin, end_of_address(text, at + match.size()));
}

}  // namespace lichen::privacy
