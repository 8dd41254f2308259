// Text made of parts, for the makers of tasks.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lichen::eval::tasks {

/// Its parts one after the other; whole numbers are written in decimal.
template <class... Parts>
std::string text(Parts&&... parts) {
  std::string out;
  const auto add = [&out]<class Part>(const Part& part) {
    if constexpr (std::integral<Part> && !std::same_as<Part, char>) {
      out += std::to_string(part);
    } else {
      out += part;
    }
  };
  (add(parts), ...);
  return out;
}

template <class Items>
std::string join(const Items& items, std::string_view separator = ", ") {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    out += text(item);
  }
  return out;
}

/// As std::ranges::contains, which libstdc++ 12 does not have.
template <class Items, class Value, class Projection = std::identity>
bool contains(const Items& items, const Value& value, Projection projection = {}) {
  return std::ranges::find(items, value, projection) != std::ranges::end(items);
}

/// With leading zeros.
std::string padded(int number, int width);

/// The first letter, if it is one of ASCII's, as a capital.
std::string capitalized(std::string_view word);
/// ASCII's capitals as small letters.
std::string lowercase(std::string_view word);

/// "an apple", "a pear".
std::string with_article(std::string_view noun);

/// A JSON string, with its quotation marks.
std::string quoted(std::string_view value);

/// "1st", "2nd", "11th".
std::string ordinal(int number);

std::vector<std::string_view> split(std::string_view whole, std::string_view separator);

std::string replaced_all(std::string_view whole, std::string_view old, std::string_view fresh);

}  // namespace lichen::eval::tasks
