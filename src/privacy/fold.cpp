#include "privacy/fold.h"

#include <cstdint>

namespace lichen::privacy {
namespace {

/// The lower case of a code point from U+0080 to U+07FF, below U+0800 as well.
std::uint32_t lower(std::uint32_t c) {
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;
  if (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) return c | 1;
  if (c >= 0x139 && c <= 0x148) return c + (c & 1);
  if (c >= 0x14A && c <= 0x177) return c | 1;
  if (c == 0x178) return 0xFF;
  if (c >= 0x179 && c <= 0x17E) return c + (c & 1);
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 0x25;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 0x3F;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 0x20;
  if (c == 0x3C2) return 0x3C3;  // final sigma
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;
  if (c >= 0x460 && c <= 0x481) return c | 1;
  if (c >= 0x48A && c <= 0x4BF) return c | 1;
  if (c >= 0x4D0 && c <= 0x52F) return c | 1;
  return c;
}

/// A code point of well-formed UTF-8 and its bytes; a stray byte stands for itself.
struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(at + i) & 0x3FU);
  return {code, length};
}

/// Whether a character goes on with a word on either side of it.
bool in_spaced_word(std::uint32_t c) {
  if (c < 0x80) {
    const std::uint32_t folded = c | 0x20;
    return (c >= '0' && c <= '9') || (folded >= 'a' && folded <= 'z') || c == '_';
  }
  return c >= 0xC0 && c != 0xD7 && c != 0xF7 && c < 0xE00;
}

}  // namespace

void fold_case(std::string_view text, char* out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte >= 'A' && byte <= 'Z') {
      out[i] = static_cast<char>(byte | 0x20);
    } else if (byte >= 0xC3 && byte <= 0xD4 && i + 1 < text.size() &&
               (static_cast<std::uint8_t>(text[i + 1]) & 0xC0) == 0x80) {
      const std::uint32_t folded =
          lower((byte & 0x1FU) << 6 | (static_cast<std::uint8_t>(text[i + 1]) & 0x3FU));
      out[i] = static_cast<char>(0xC0 | folded >> 6);
      out[i + 1] = static_cast<char>(0x80 | (folded & 0x3F));
      ++i;
    } else {
      out[i] = text[i];
    }
  }
}

bool word_edge(std::string_view text, std::size_t at) {
  if (at == 0 || at >= text.size()) return true;
  std::size_t before = at - 1;
  while (before > 0 && (static_cast<std::uint8_t>(text[before]) & 0xC0) == 0x80) --before;
  return !in_spaced_word(character_at(text, before).code) ||
         !in_spaced_word(character_at(text, at).code);
}

}  // namespace lichen::privacy
