#include "base/utf8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace lichen::base {
namespace {

/// The rule restated from code points: decode what the lengths say, then refuse the forbidden.
bool valid_by_code_points(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
    if (length == 4 && lead >> 3 != 30) return false;
    if (i + length > text.size()) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t j = 1; j < length; ++j) {
      const auto byte = static_cast<unsigned char>(text[i + j]);
      if (byte >> 6 != 2) return false;
      code = code << 6 | (byte & 0x3F);
    }
    const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

/// Every text of up to four bytes from the borders of table 3-7's ranges.
template <class F>
void for_all_texts(F&& check) {
  constexpr unsigned char kBorders[] = {0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2,
                                        0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5};
  check(std::string());
  for (unsigned char a : kBorders) {
    check({static_cast<char>(a)});
    for (unsigned char b : kBorders) {
      check({static_cast<char>(a), static_cast<char>(b)});
      for (unsigned char c : kBorders) {
        check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
        for (unsigned char d : {0x41, 0x80, 0xF0}) {
          check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                 static_cast<char>(d)});
        }
      }
    }
  }
}

/// Whether some further bytes make exactly one character of `tail`.
bool can_be_completed(const std::string& tail) {
  for (const char* more : {"\x80", "\x80\x80", "\x80\x80\x80", "\xA0\x80", "\x90\x80\x80"}) {
    const std::string text = tail + more;
    const auto starts = std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (starts == 1 && valid_by_code_points(text)) return true;
  }
  return false;
}

TEST(Utf8, CharactersAreCodePointsNotBytes) {
  EXPECT_EQ(count_characters(""), 0);
  EXPECT_EQ(count_characters("ab"), 2);
  EXPECT_EQ(count_characters("ä地🌿"), 3);
}

TEST(Utf8, ValidAgreesWithTheCodePoints) {
  for_all_texts([](const std::string& text) {
    ASSERT_EQ(valid_utf8(text), valid_by_code_points(text)) << testing::PrintToString(text);
  });
  EXPECT_TRUE(valid_utf8("Flechte, лишайник, 地衣, 🌿"));
  EXPECT_TRUE(valid_utf8(""));
}

TEST(Utf8, EveryCutOfATextLeavesWholeCharacters) {
  const std::string text = "aé地🌿z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::size_t whole = complete_utf8_prefix(std::string_view(text).substr(0, cut));
    EXPECT_TRUE(valid_utf8(text.substr(0, whole)));
    EXPECT_LE(cut - whole, 3u);
    if (valid_utf8(text.substr(0, cut))) EXPECT_EQ(whole, cut);
  }
}

TEST(Utf8, WithholdsBytesExactlyWhenTheyCanBeCompleted) {
  for_all_texts([](const std::string& text) {
    std::size_t expected = text.size() < 3 ? 0 : text.size() - 3;
    while (expected < text.size() && !can_be_completed(text.substr(expected))) ++expected;
    ASSERT_EQ(complete_utf8_prefix(text), expected) << testing::PrintToString(text);
  });
}

TEST(Utf8, ReplacesEachMaximalIllFormedPart) {
  // Unicode 15, tables 3-8 to 3-11.
  const std::string r = "\uFFFD";
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

TEST(Utf8, ReplacementIsValidAndLeavesValidTextAlone) {
  for_all_texts([](const std::string& text) {
    const std::string clean = replace_invalid_utf8(text);
    ASSERT_TRUE(valid_utf8(clean));
    if (valid_utf8(text)) ASSERT_EQ(clean, text);
  });
}

}  // namespace
}  // namespace lichen::base
