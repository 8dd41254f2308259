#include "mechanisms/auxiliary/text_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TextWindows, AShortTextIsOne) {
  EXPECT_THAT(windows_of("", 8), IsEmpty());
  EXPECT_THAT(windows_of("eight by", 8), ElementsAre("eight by"));
}

TEST(TextWindows, OverlapByHalfAndEndBehindSentences) {
  EXPECT_THAT(windows_of("One is. Two and two. Three it is. Four", 24),
              ElementsAre("One is. Two and ", "Two and two. Three ", "two. Three it is. Four"));
}

TEST(TextWindows, CutBetweenCharactersWhereThereAreNoBlanks) {
  const std::string text = "äöüäöüäöüäöü";
  for (const std::string_view window : windows_of(text, 10)) {
    EXPECT_EQ(base::complete_utf8_prefix(window), window.size());
    EXPECT_EQ(static_cast<unsigned char>(window.front()) & 0xc0, 0xc0);
  }
}

TEST(TextWindows, WhateverIsShortStandsWholeInOne) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (int i = 0; i < 60; ++i) text += i % 7 == 0 ? "is. " : i % 5 == 0 ? "wordwordword " : "a b\n";
  const auto windows = windows_of(text, kMost);
  for (const std::string_view window : windows) EXPECT_LE(window.size(), kMost);
  for (std::size_t at = 0; at + kMost / 4 <= text.size(); ++at) {
    const auto* const begin = text.data() + at;
    const auto* const end = begin + kMost / 4;
    EXPECT_TRUE(std::ranges::any_of(windows, [&](std::string_view window) {
      return window.data() <= begin && end <= window.data() + window.size();
    })) << at;
  }
}

TEST(TextWindows, AnyBytesEnd) {
  EXPECT_FALSE(windows_of(std::string(100, '\x80'), 8).empty());
  EXPECT_FALSE(windows_of(std::string(100, '\xff'), 9).empty());
  EXPECT_FALSE(windows_of(std::string(100, '\n'), 8).empty());
}

}  // namespace
}  // namespace lichen::mechanisms
