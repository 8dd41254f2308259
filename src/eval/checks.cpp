#include "eval/checks.h"

// A search that takes more than this many steps of the matcher throws, so that no pattern can hang
// a run (std::regex has no such bound, and overflows the stack instead). This is the only file that
// includes the library; the bound is compiled into it.
#define BOOST_REGEX_MAX_STATE_COUNT 4'000'000

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/regex.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

namespace lichen::eval {
namespace {

constexpr std::size_t kMaxPatternBytes = 1'024;
constexpr std::size_t kMaxSearchedBytes = 64 * 1'024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Result<void> any_reference(std::string_view) { return {}; }

Result<void> nonempty_reference(std::string_view reference) {
  if (reference.empty()) return fail(Errc::bad_request, "the reference is empty");
  return {};
}

Result<bool> right_exact(std::string_view reference, std::string_view answer) {
  return trimmed(reference) == trimmed(answer);
}

Result<bool> right_contains(std::string_view reference, std::string_view answer) {
  return answer.contains(reference);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The last number written in `text`: "-3", "1,234.5", "2e6". A sign directly after a digit, a
/// letter or a closing bracket is an operator or a hyphen, not part of the number.
std::optional<double> last_number(std::string_view text) {
  std::optional<double> found;
  for (std::size_t i = 0; i < text.size();) {
    const bool fraction = text[i] == '.' && i + 1 < text.size() && is_digit(text[i + 1]);
    if (!is_digit(text[i]) && !fraction) {
      ++i;
      continue;
    }
    const std::size_t start = i;
    std::string digits;
    while (i < text.size()) {
      const bool group = text[i] == ',' && i + 3 < text.size() && is_digit(text[i + 1]) &&
                         is_digit(text[i + 2]) && is_digit(text[i + 3]) &&
                         (i + 4 == text.size() || !is_digit(text[i + 4]));
      if (!is_digit(text[i]) && !group) break;
      if (!group) digits += text[i];
      ++i;
    }
    if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
      do digits += text[i++];
      while (i < text.size() && is_digit(text[i]));
    }
    if (i + 1 < text.size() && (text[i] == 'e' || text[i] == 'E')) {
      const std::size_t sign = text[i + 1] == '-' || text[i + 1] == '+' ? 1 : 0;
      if (i + 1 + sign < text.size() && is_digit(text[i + 1 + sign])) {
        digits += 'e';
        if (text[i + 1] == '-') digits += '-';
        i += 1 + sign;
        while (i < text.size() && is_digit(text[i])) digits += text[i++];
      }
    }
    if (digits.starts_with('.')) digits.insert(0, 1, '0');
    if (start > 0 && text[start - 1] == '-') {
      const char before = start > 1 ? text[start - 2] : ' ';
      const bool word = is_digit(before) || before == ')' || before == ']' ||
                        (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
      if (!word) digits.insert(0, 1, '-');
    }
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc{} && end == digits.data() + digits.size()) found = value;
  }
  return found;
}

Result<void> number_reference(std::string_view reference) {
  if (last_number(reference)) return {};
  return fail(Errc::bad_request, "the reference of a numeric check holds no number");
}

Result<bool> right_numeric(std::string_view reference, std::string_view answer) {
  const auto wanted = last_number(reference);
  const auto given = last_number(answer);
  if (!wanted || !given) return false;
  return std::abs(*given - *wanted) <= 1e-9 * std::abs(*wanted);
}

Result<boost::regex> compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail(Errc::bad_request, "the regular expression has " + std::to_string(pattern.size()) +
                                       " bytes, at most " + std::to_string(kMaxPatternBytes) +
                                       " are allowed");
  }
  try {
    return boost::regex(pattern.begin(), pattern.end());
  } catch (const std::exception& e) {
    return fail(Errc::bad_request, std::string("not a regular expression: ") + e.what());
  }
}

Result<void> pattern_reference(std::string_view reference) {
  const auto pattern = compile(reference);
  if (!pattern) return std::unexpected(pattern.error());
  return {};
}

Result<bool> right_regex(std::string_view reference, std::string_view answer) {
  if (answer.size() > kMaxSearchedBytes) {
    return fail(Errc::too_large, "the answer has " + std::to_string(answer.size()) +
                                     " bytes, a regular expression searches at most " +
                                     std::to_string(kMaxSearchedBytes));
  }
  auto pattern = compile(reference);
  if (!pattern) return std::unexpected(pattern.error());
  try {
    return boost::regex_search(answer.begin(), answer.end(), *pattern);
  } catch (const std::exception&) {
    return fail(Errc::bad_request,
                "the regular expression takes too many steps on this answer; one without nested "
                "repetition would be right");
  }
}

/// The content of a fenced code block if `text` is one, as chat models like to write JSON.
std::string_view unfenced(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with("```") || !text.ends_with("```")) return text;
  const auto line = text.find('\n');
  if (line == std::string_view::npos || line + 3 > text.size()) return text;
  return text.substr(line + 1, text.size() - 3 - line - 1);
}

std::optional<boost::json::value> parsed(std::string_view text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  if (error) return std::nullopt;
  return value;
}

/// Equality of values: the order of keys does not matter, nor whether a number is written 1 or 1.0.
bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_number() && b.is_number()) {
    return a == b || a.to_number<double>() == b.to_number<double>();
  }
  if (a.is_array() && b.is_array()) {
    const auto& left = a.get_array();
    const auto& right = b.get_array();
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!same(left[i], right[i])) return false;
    }
    return true;
  }
  if (a.is_object() && b.is_object()) {
    if (a.get_object().size() != b.get_object().size()) return false;
    for (const auto& [key, value] : a.get_object()) {
      const auto* other = b.get_object().if_contains(key);
      if (other == nullptr || !same(value, *other)) return false;
    }
    return true;
  }
  return a == b;
}

Result<void> json_reference(std::string_view reference) {
  if (parsed(reference)) return {};
  return fail(Errc::bad_request, "the reference of a json check is not JSON");
}

Result<bool> right_json(std::string_view reference, std::string_view answer) {
  const auto wanted = parsed(reference);
  const auto given = parsed(unfenced(answer));
  return wanted && given && same(*wanted, *given);
}

constexpr Check kChecks[] = {
    {"exact", "the whole answer is the reference, white space around it aside", any_reference,
     right_exact},
    {"numeric", "the answer's last number is the reference's", number_reference, right_numeric},
    {"contains", "the reference stands in the answer, to the letter", nonempty_reference,
     right_contains},
    {"regex", "the regular expression (Perl syntax) matches within the answer", pattern_reference,
     right_regex},
    {"json", "the answer is JSON of the same value", json_reference, right_json},
};

}  // namespace

std::span<const Check> checks() { return kChecks; }

Result<const Check*> find_check(std::string_view name) {
  std::string names;
  for (const Check& check : kChecks) {
    if (check.name == name) return &check;
    if (!names.empty()) names += ", ";
    names += check.name;
  }
  return fail(Errc::not_found, "no check \"" + std::string(name) + "\"; there are " + names);
}

}  // namespace lichen::eval
