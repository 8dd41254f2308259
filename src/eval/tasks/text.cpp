#include "eval/tasks/text.h"

#include <cstdio>

namespace lichen::eval::tasks {

std::string padded(int number, int width) {
  std::string digits = std::to_string(number);
  if (static_cast<int>(digits.size()) < width) {
    digits.insert(0, static_cast<std::size_t>(width) - digits.size(), '0');
  }
  return digits;
}

std::string capitalized(std::string_view word) {
  std::string out(word);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

std::string lowercase(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string with_article(std::string_view noun) {
  const bool vowel =
      !noun.empty() && std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
  return text(vowel ? "an " : "a ", noun);
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string ordinal(int number) {
  const int last = number % 10;
  const bool teen = number % 100 / 10 == 1;
  return text(number, teen || last == 0 || last > 3 ? "th"
                      : last == 1                   ? "st"
                      : last == 2                   ? "nd"
                                                    : "rd");
}

std::vector<std::string_view> split(std::string_view whole, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = whole.find(separator);
    parts.push_back(whole.substr(0, end));
    if (end == std::string_view::npos) return parts;
    whole.remove_prefix(end + separator.size());
  }
}

std::string replaced_all(std::string_view whole, std::string_view old, std::string_view fresh) {
  return join(split(whole, old), fresh);
}

}  // namespace lichen::eval::tasks
