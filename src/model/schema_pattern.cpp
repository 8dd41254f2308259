#include "model/schema_pattern.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace lichen::model {
namespace {

namespace json = boost::json;

constexpr int kNesting = 100;  // the converter's own bound

std::unexpected<Error> cannot(const std::string& why) {
  return fail(Errc::unsupported,
              "a `pattern` in the JSON schema cannot be turned into a grammar: " + why);
}

/// Bytes of the escape at the beginning of `text`, or 0 where the converter does not know it.
std::size_t escape_length(std::string_view text, bool in_class) {
  if (text.size() < 2) return 0;
  const std::string_view plain = in_class ? "trn\\\"[]-" : "trn\\\"[]-^$.()|{}*+?";
  if (plain.contains(text[1])) return 2;
  const std::size_t digits = text[1] == 'x' ? 2 : text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
  const std::string_view hex = text.substr(2, digits);
  const bool whole = digits > 0 && hex.size() == digits &&
                     std::ranges::all_of(hex, [](unsigned char c) { return std::isxdigit(c); });
  return whole ? 2 + digits : 0;
}

Result<void> check_pattern(std::string_view pattern) {
  if (pattern.size() < 2 || !pattern.starts_with('^') || !pattern.ends_with('$')) {
    return cannot("it must describe the whole string, from ^ to $");
  }
  const std::string_view body = pattern.substr(1, pattern.size() - 2);
  bool in_class = false;
  int groups = 0;
  for (std::size_t i = 0; i < body.size();) {
    const std::string_view rest = body.substr(i);
    std::size_t length = 1;
    if (rest.starts_with('\\')) {
      length = escape_length(rest, in_class);
      if (length == 0) {
        return cannot("it holds the escape " + std::string(rest.substr(0, 2)) +
                      "; a class such as [0-9] can say the same");
      }
    } else if (in_class) {
      in_class = !rest.starts_with(']');
    } else if (rest.starts_with('[')) {
      in_class = true;
    } else if (rest.starts_with('^') || rest.starts_with('$')) {
      return cannot("it holds ^ or $ in its middle");
    } else if (rest.starts_with("(?") && !rest.starts_with("(?:")) {
      return cannot("of groups with (? there is only (?:...)");
    } else if (rest.starts_with('(') && ++groups > kNesting) {
      return cannot("its groups nest more than " + std::to_string(kNesting) + " deep");
    } else if (rest.starts_with(')')) {
      --groups;
    } else if (rest.starts_with('{')) {
      const std::string_view times = rest.substr(1, rest.find('}') - 1);
      const bool numbers = !times.empty() && times.size() + 1 < rest.size() && times.size() < 10 &&
                           std::ranges::count(times, ',') <= 1 && times != "," &&
                           times.find_first_not_of("0123456789,") == times.npos;
      if (!numbers) return cannot("a repetition must be {m}, {m,} or {m,n}");
      length = times.size() + 2;
    }
    i += length;
  }
  return {};
}

}  // namespace

Result<void> check_patterns(const json::value& schema) {
  if (const json::array* array = schema.if_array()) {
    for (const json::value& element : *array) {
      if (Result<void> checked = check_patterns(element); !checked) return checked;
    }
  } else if (const json::object* object = schema.if_object()) {
    for (const auto& [name, value] : *object) {
      const bool pattern = name == "pattern" && value.is_string();
      Result<void> checked = pattern ? check_pattern(value.get_string()) : check_patterns(value);
      if (!checked) return checked;
    }
  }
  return {};
}

}  // namespace lichen::model
