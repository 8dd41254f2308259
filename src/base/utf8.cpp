#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace lichen::base {
namespace {

/// The character, or the part of one, at the start of a text.
struct Head {
  enum Kind : std::uint8_t {
    whole,   // a well-formed character
    open,    // the text ends inside a character that is well-formed so far
    broken,  // no continuation makes these bytes a character (a "maximal subpart")
  };
  Kind kind;
  std::size_t bytes;  // at least 1
};

/// Unicode's table 3-7. `text` is not empty.
Head head(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {Head::whole, 1};
  if (lead < 0xC2 || lead > 0xF4) return {Head::broken, 1};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Only the second byte's range depends on the first: no overlong forms, no surrogates, nothing
  // past U+10FFFF.
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Head::open, i};
    if (byte(i) < low || byte(i) > high) return {Head::broken, i};
    low = 0x80;
    high = 0xBF;
  }
  return {Head::whole, length};
}

}  // namespace

bool valid_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const Head next = head(text.substr(valid));
    if (next.kind != Head::whole) break;
    valid += next.bytes;
  }
  return valid;
}

std::size_t complete_utf8_prefix(std::string_view text) {
  // A character that is still open has at most three bytes, of which the first is no continuation.
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::size_t start = text.size() - back;
    if ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) continue;
    const Head last = head(text.substr(start));
    return last.kind == Head::open ? start : text.size();
  }
  return text.size();
}

std::int64_t count_characters(std::string_view text) {
  return std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xC0) != 0x80; });
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const Head next = head(text);
    clean += next.kind == Head::whole ? text.substr(0, next.bytes) : "\uFFFD";
    text.remove_prefix(next.bytes);
  }
  return clean;
}

}  // namespace lichen::base
