#include "mechanisms/fusion/spelling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mechanisms/fusion/test_vocabulary.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SpellingTest, SplitsAsTheVocabularyDoes) {
  const TestVocabulary vocabulary({"a", "b", "ab", "c"});
  const Spelling spelling(vocabulary);
  EXPECT_THAT(*spelling.spell("abcb"), ElementsAre(2, 3, 1));
  EXPECT_THAT(*spelling.spell(""), ElementsAre());
  EXPECT_THAT(spelling.ends(), ElementsAre(4));
  EXPECT_EQ(spelling.find("ab"), 2);
  EXPECT_EQ(spelling.find("ac"), -1);
  EXPECT_EQ(spelling.find(""), -1) << "the end is no text";
}

TEST(SpellingTest, OfSeveralTokensTheLastIsMeant) {
  const TestVocabulary vocabulary(bytes_and({"a"}));
  EXPECT_EQ(Spelling(vocabulary).find("a"), 256);
}

TEST(SpellingTest, ABlankThatTheVocabularyAddsIsNotPartOfTheText) {
  TestVocabulary vocabulary({" ", "a", " a", "b"});
  vocabulary.blank_in_front = true;
  const Spelling spelling(vocabulary);
  EXPECT_THAT(*spelling.spell("ab"), ElementsAre(1, 3));
  EXPECT_THAT(*spelling.spell(" ab"), ElementsAre(2, 3));
}

TEST(SpellingTest, AByteThatNoTokenBeginsWithIsAnError) {
  const TestVocabulary vocabulary({"a", "b\xff"});
  const Spelling spelling(vocabulary);
  EXPECT_TRUE(spelling.spell("ab\xff"));
  const auto tokens = spelling.spell("a\xff");
  ASSERT_FALSE(tokens);
  EXPECT_EQ(tokens.error().code, Errc::unsupported);
  EXPECT_THAT(tokens.error().detail, HasSubstr("0xff"));
}

}  // namespace
}  // namespace lichen::mechanisms
