#include "mechanisms/answer_key.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {
namespace {

using base::is_digit;

namespace json = boost::json;

/// Keys in order, and whole numbers of one kind.
json::value canonical(const json::value& value) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  if (const auto* array = value.if_array()) {
    json::array items;
    for (const json::value& item : *array) items.push_back(canonical(item));
    return items;
  }
  if (const auto* object = value.if_object()) {
    std::vector<std::pair<std::string_view, const json::value*>> members;
    for (const auto& [key, member] : *object) members.emplace_back(key, &member);
    std::ranges::sort(members, {}, &std::pair<std::string_view, const json::value*>::first);
    json::object sorted;
    for (const auto& [key, member] : members) sorted[key] = canonical(*member);
    return sorted;
  }
  if (const auto* number = value.if_double();
      number != nullptr && std::trunc(*number) == *number && std::abs(*number) < kExact) {
    return static_cast<std::int64_t>(*number);
  }
  return value;
}

/// Nothing for a text that is no JSON array or object, also inside a fenced block.
std::optional<std::string> canonical_json(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("```") && text.ends_with("```")) {
    const auto line = text.find('\n');
    if (line == std::string_view::npos || line + 3 > text.size()) return std::nullopt;
    text = trimmed(text.substr(line + 1, text.size() - 3 - line - 1));
  }
  if (!text.starts_with('{') && !text.starts_with('[')) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error) return std::nullopt;
  return json::serialize(canonical(value));
}

/// Each call's name and arguments; these are JSON in a string.
std::string key_of_calls(const json::array& calls) {
  std::string key;
  for (const json::value& call : calls) {
    const auto* object = call.if_object();
    const json::value* function = object != nullptr ? object->if_contains("function") : nullptr;
    json::value what = function != nullptr ? *function : call;
    if (auto* members = what.if_object()) {
      auto* arguments = members->if_contains("arguments");
      if (arguments != nullptr && arguments->is_string()) {
        boost::system::error_code error;
        json::value parsed = json::parse(arguments->get_string(), error);
        if (!error) *arguments = std::move(parsed);
      }
    }
    key += json::serialize(canonical(what));
  }
  return key;
}

/// "210 + 28 = 238" -> "238"; a text with words in front of the sign stays as it is.
std::string_view result_of_sum(std::string_view text) {
  const auto sign = text.rfind('=');
  if (sign == std::string_view::npos) return text;
  constexpr std::string_view kSum = "0123456789+-*/^()=., \t\n";
  if (text.substr(0, sign).find_first_not_of(kSum) != std::string_view::npos) return text;
  const std::string_view result = trimmed(text.substr(sign + 1));
  return result.empty() ? text : result;
}

/// Without commas between groups of three digits and zeros behind the point.
std::string with_plain_numbers(std::string_view text) {
  const auto digits = [text](std::size_t from) {
    std::size_t count = 0;
    while (from + count < text.size() && is_digit(text[from + count])) ++count;
    return count;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      out += text[i++];
      continue;
    }
    std::size_t count = digits(i);
    const bool begins = i == 0 || (text[i - 1] != ',' && text[i - 1] != '.');
    bool grouped = begins && count <= 3;
    out += text.substr(i, count);
    i += count;
    while (grouped && i < text.size() && text[i] == ',' && digits(i + 1) == 3) {
      out += text.substr(i + 1, 3);
      i += 4;
    }
    // "1.50", and not "1.5.0", a version or a date.
    if (!begins || i >= text.size() || text[i] != '.') continue;
    count = digits(i + 1);
    const std::size_t end = i + 1 + count;
    const bool more = end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]);
    if (count == 0 || more) continue;
    std::string_view fraction = text.substr(i, count + 1);
    fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
    if (fraction != ".") out += fraction;
    i = end;
  }
  return out;
}

}  // namespace

std::string answer_key(const Answer& answer) {
  if (!answer.tool_calls.empty()) return normalized(answer.text) + key_of_calls(answer.tool_calls);
  if (std::optional<std::string> value = canonical_json(answer.text)) return *std::move(value);
  return with_plain_numbers(normalized(result_of_sum(final_answer(answer.text))));
}

}  // namespace lichen::mechanisms
