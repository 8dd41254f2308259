#include "mechanisms/fusion/aligned_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "mechanisms/fusion/test_vocabulary.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;

std::vector<std::string> pieces_of(const AlignedTokens& aligned,
                                   const model::Vocabulary& vocabulary) {
  std::vector<std::string> pieces;
  for (const Token token : aligned.tokens()) pieces.emplace_back(vocabulary.piece(token));
  return pieces;
}

class AlignedTokensTest : public testing::Test {
 protected:
  std::vector<std::string> pieces() const { return pieces_of(aligned_, vocabulary_); }

  const TestVocabulary vocabulary_{bytes_and({"lich", "en", "lichen", " on", " one", "\xc3\xa4"})};
  const Spelling spelling_{vocabulary_};
  AlignedTokens aligned_{spelling_};
};

TEST_F(AlignedTokensTest, AWordIsSplitAnewAsItGrows) {
  EXPECT_EQ(aligned_.append("lich"), 0U);
  EXPECT_THAT(pieces(), ElementsAre("lich"));
  EXPECT_EQ(aligned_.append("en"), 0U) << "the session has to forget the first token";
  EXPECT_THAT(pieces(), ElementsAre("lichen"));
  EXPECT_EQ(aligned_.append(" on"), 1U);
  EXPECT_EQ(aligned_.append("e"), 1U) << "what stands before the word is kept";
  EXPECT_THAT(pieces(), ElementsAre("lichen", " one"));
  EXPECT_EQ(aligned_.text(), "lichen one");
}

TEST_F(AlignedTokensTest, ItsOwnTokenIsKeptAsItIs) {
  ASSERT_TRUE(aligned_.append("lich", vocabulary_.token_of("lich")));
  EXPECT_EQ(aligned_.append("en", vocabulary_.token_of("en")), 1U);
  EXPECT_THAT(pieces(), ElementsAre("lich", "en"));
  EXPECT_EQ(aligned_.append("!"), 0U) << "but another's piece shows how the word is split";
  EXPECT_THAT(pieces(), ElementsAre("lichen", "!"));
}

TEST_F(AlignedTokensTest, HalvesOfACharacterBecomeItsToken) {
  EXPECT_EQ(aligned_.append("\xc3"), 0U);
  EXPECT_THAT(pieces(), ElementsAre("\xc3"));
  EXPECT_EQ(aligned_.append("\xa4"), 0U);
  EXPECT_THAT(pieces(), ElementsAre("\xc3\xa4"));
}

TEST_F(AlignedTokensTest, NothingAppendedChangesNothing) {
  ASSERT_TRUE(aligned_.append("lich"));
  EXPECT_EQ(aligned_.append(""), 1U);
  EXPECT_THAT(pieces(), ElementsAre("lich"));
}

TEST_F(AlignedTokensTest, TextWithoutWordsIsNotSplitAnewForEver) {
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(aligned_.append("x", vocabulary_.token_of("x")));
  const auto stand = aligned_.append("y");
  ASSERT_TRUE(stand);
  EXPECT_EQ(*stand, 1'000U);
  EXPECT_EQ(aligned_.tokens().size(), 1'001U);
}

TEST(AlignedTokensErrorTest, WhatCannotBeSpeltChangesNothing) {
  const TestVocabulary vocabulary({"a", " b"});
  const Spelling spelling(vocabulary);
  AlignedTokens aligned(spelling);
  ASSERT_TRUE(aligned.append("a"));
  EXPECT_EQ(aligned.append("c").error().code, Errc::unsupported);
  EXPECT_EQ(aligned.text(), "a");
  EXPECT_EQ(aligned.append(" b"), 1U);
  EXPECT_EQ(text_of(vocabulary, aligned.tokens()), "a b");
}

/// Whatever is appended, the tokens spell it, and those that stand are those that stood.
TEST(AlignedTokensRandomTest, BytesAreNeitherLostNorDoubled) {
  constexpr std::string_view kAlphabet[] = {"a",    "b",    " ",        "\n",
                                            "\xc3", "\xa4", "\xf0\x9f", "\xff"};
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 25; ++round) {
    std::vector<std::string> pieces;
    for (std::size_t i = below(12); i-- > 0;) {
      std::string& piece = pieces.emplace_back(kAlphabet[below(8)]);
      for (std::size_t j = below(4); j-- > 0;) piece += kAlphabet[below(8)];
    }
    TestVocabulary vocabulary(bytes_and(pieces));
    vocabulary.blank_in_front = below(3) == 0;
    const Spelling spelling(vocabulary);
    AlignedTokens aligned(spelling);
    std::string text;
    for (int step = 0; step < 100; ++step) {
      const std::vector<Token> before(aligned.tokens().begin(), aligned.tokens().end());
      const auto token = static_cast<Token>(below(static_cast<std::size_t>(vocabulary.size() - 1)));
      const std::string_view piece = vocabulary.piece(token);
      const auto stand = aligned.append(piece, below(2) == 0 ? token : -1);
      ASSERT_TRUE(stand);
      text += piece;
      ASSERT_EQ(text_of(vocabulary, aligned.tokens()), text);
      ASSERT_EQ(aligned.text(), text);
      ASSERT_LE(*stand, before.size());
      ASSERT_LT(*stand, aligned.tokens().size()) << "there must be something new to read";
      ASSERT_TRUE(std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(*stand),
                             aligned.tokens().begin()));
    }
  }
}

}  // namespace
}  // namespace lichen::mechanisms
