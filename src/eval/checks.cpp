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
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "eval/tasks/calendar.h"
#include "eval/tasks/grid_world.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/pipeline/edits.h"

namespace lichen::eval {
namespace {

using base::is_digit;

constexpr std::size_t kMaxPatternBytes = 1'024;
constexpr std::size_t kMaxSearchedBytes = std::size_t{64} * 1'024;

using mechanisms::apply_edits;
using mechanisms::final_answer;
using mechanisms::trimmed;

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
  // A whole number is right to the unit, however large; a fraction up to rounding.
  if (std::trunc(*wanted) == *wanted) return *given == *wanted;
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

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

/// In small letters, white space as single spaces.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : lowered(text)) {
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

Result<bool> right_final(std::string_view reference, std::string_view answer) {
  return plain(final_answer(reference)) == plain(final_answer(answer));
}

/// The items of a list: separated by commas, semicolons, lines or a last "and"; bullets, numbering
/// and brackets aside.
std::vector<std::string> items_of(std::string_view text) {
  text = final_answer(text);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  const auto add = [&items](std::string_view item) {
    auto word = plain(final_answer(item));
    if (word.starts_with("- ") || word.starts_with("* ")) word.erase(0, 2);
    if (word.starts_with("and ")) word.erase(0, 4);
    if (!word.empty()) items.push_back(std::move(word));
  };
  while (!text.empty()) {
    const auto end = text.find_first_of(",;\n");
    add(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  // "a, b and c"
  if (const auto last = items.empty() ? std::string::npos : items.back().find(" and ");
      last != std::string::npos) {
    const auto tail = items.back().substr(last + 5);
    items.back().resize(last);
    items.push_back(tail);
  }
  return items;
}

Result<bool> right_list(std::string_view reference, std::string_view answer) {
  return items_of(reference) == items_of(answer);
}

Result<bool> right_set(std::string_view reference, std::string_view answer) {
  const auto wanted = items_of(reference);
  const auto given = items_of(answer);
  return std::set(wanted.begin(), wanted.end()) == std::set(given.begin(), given.end());
}

/// Lines in any order, without empty ones.
std::set<std::string> lines_of(std::string_view text) {
  std::set<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (auto line = std::string(trimmed(text.substr(0, end))); !line.empty()) {
      lines.insert(std::move(line));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

Result<bool> right_lines(std::string_view reference, std::string_view answer) {
  return lines_of(reference) == lines_of(answer);
}

Result<bool> right_choice(std::string_view reference, std::string_view answer) {
  const auto first_word = [](std::string_view text) {
    text = final_answer(text);
    return lowered(text.substr(0, text.find_first_of(" \t\r\n.,;:!)")));
  };
  return first_word(reference) == first_word(answer);
}

Result<void> date_reference(std::string_view reference) {
  if (tasks::last_date(reference)) return {};
  return fail(Errc::bad_request, "the reference of a date check holds no date such as 2024-03-05");
}

Result<bool> right_date(std::string_view reference, std::string_view answer) {
  const auto given = tasks::last_date(answer);
  return given && given == tasks::last_date(reference);
}

Result<void> plan_reference(std::string_view reference) {
  if (tasks::GridWorld::parse(reference)) return {};
  return fail(Errc::bad_request,
              "the reference of a plan check is no grid world; docs/suite.md shows one");
}

Result<bool> right_plan(std::string_view reference, std::string_view answer) {
  auto world = tasks::GridWorld::parse(reference);
  return world && !tasks::problem_with(final_answer(answer), std::move(*world));
}

/// What the reference of an "edits" check holds.
struct Mending {
  std::string draft;
  std::string reference;
  const Check* check;
};

Result<Mending> mending_of(std::string_view reference) {
  const auto value = parsed(reference);
  const auto* object = value ? value->if_object() : nullptr;
  const auto text = [&](std::string_view key) -> std::optional<std::string> {
    const auto* member = object == nullptr ? nullptr : object->if_contains(key);
    if (member == nullptr || !member->is_string()) return std::nullopt;
    return std::string(member->get_string());
  };
  const auto draft = text("draft");
  const auto wanted = text("reference");
  const auto name = text("check");
  if (!draft || !wanted || !name) {
    return fail(Errc::bad_request,
                "the reference of an edits check must be a JSON object with the strings draft, "
                "check and reference");
  }
  const auto check = find_check(*name);
  if (!check) return std::unexpected(check.error());
  if ((*check)->name == "edits" || (*check)->right == nullptr) {
    return fail(Errc::bad_request, "an edits check cannot hold the check \"" + *name + "\"");
  }
  if (auto fits = (*check)->accepts(*wanted); !fits) return std::unexpected(fits.error());
  return Mending{*draft, *wanted, *check};
}

Result<void> edits_reference(std::string_view reference) {
  const auto mending = mending_of(reference);
  if (!mending) return std::unexpected(mending.error());
  return {};
}

Result<bool> right_edits(std::string_view reference, std::string_view answer) {
  const auto mending = mending_of(reference);
  if (!mending) return std::unexpected(mending.error());
  const auto mended = apply_edits(mending->draft, answer);
  if (!mended) return false;  // edits that cannot be carried out are a wrong answer
  return mending->check->right(mending->reference, *mended);
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
    {"final", "the final answer, after \"The answer is\", is the reference's; case aside",
     nonempty_reference, right_final},
    {"list", "the final answer lists the reference's items in their order", nonempty_reference,
     right_list},
    {"set", "the final answer lists the reference's items, in any order", nonempty_reference,
     right_set},
    {"lines", "the answer's lines are the reference's, in any order", nonempty_reference,
     right_lines},
    {"choice", "the first word is the reference's, such as yes, no, A, B", nonempty_reference,
     right_choice},
    {"date", "the answer's last date is the reference's", date_reference, right_date},
    {"plan", "the plan reaches the goal when it is executed in the reference's grid world",
     plan_reference, right_plan},
    {"judge", "a model judges the answer: the one that --judge names", any_reference, nullptr},
    {"edits", "the draft, mended by the answer's edits, passes the check that the reference names",
     edits_reference, right_edits},
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
