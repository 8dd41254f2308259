#include "privacy/fold.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::privacy {
namespace {

std::string folded(std::string text) {
  fold_case(text, text.data());
  return text;
}

TEST(FoldCase, LettersOfThreeAlphabetsKeepTheirBytes) {
  EXPECT_EQ(folded("AbZ09_[@{"), "abz09_[@{");
  EXPECT_EQ(folded("ÀÉÖØÞ×ßÿ"), "àéöøþ×ßÿ");
  EXPECT_EQ(folded("ŠŁŽŸĲŇ"), "šłžÿĳň");
  EXPECT_EQ(folded("ΆΈΌΏΑΩΣς"), "άέόώαωσσ");
  EXPECT_EQ(folded("ЁАЯҐӘ"), "ёаяґә");
  EXPECT_EQ(folded("北京İı€𝒜"), "北京İı€𝒜");
}

TEST(FoldCase, BrokenBytesStay) { EXPECT_EQ(folded("\xC3 A\xFF\xC3"), "\xC3 a\xFF\xC3"); }

TEST(WordEdge, IsWhereNoWordGoesOn) {
  const std::string text = "ab, Zoë_x 北京x";
  EXPECT_TRUE(word_edge(text, 0));
  EXPECT_FALSE(word_edge(text, 1));
  EXPECT_TRUE(word_edge(text, 2));
  EXPECT_FALSE(word_edge(text, text.find("ë")));
  EXPECT_FALSE(word_edge(text, text.find("_")));
  EXPECT_TRUE(word_edge(text, text.find("京")));
  EXPECT_TRUE(word_edge(text, text.size() - 1));
  EXPECT_TRUE(word_edge(text, text.size()));
}

}  // namespace
}  // namespace lichen::privacy
