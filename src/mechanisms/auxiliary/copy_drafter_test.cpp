#include "mechanisms/auxiliary/copy_drafter.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lichen::mechanisms {
namespace {

std::vector<Token> tokens(std::string_view text) { return {text.begin(), text.end()}; }

std::string text(std::span<const Token> tokens) { return {tokens.begin(), tokens.end()}; }

TEST(CopyDrafter, GoesOnAsTheTextDidBefore) {
  CopyDrafter drafter;
  drafter.read(tokens("the cat sat on the mat. the c"));
  const auto match = drafter.find();
  EXPECT_EQ(match.length, 5U);
  EXPECT_EQ(text(match.next).substr(0, 6), "at sat");
}

TEST(CopyDrafter, FollowsTheLatestPlace) {
  CopyDrafter drafter;
  drafter.read(tokens("abcX abcY abc"));
  EXPECT_EQ(text(drafter.find().next), "Y abc");
}

TEST(CopyDrafter, FindsNothingInAFreshText) {
  CopyDrafter drafter;
  EXPECT_EQ(drafter.find().length, 0U);
  drafter.read(tokens("ab"));
  EXPECT_EQ(drafter.find().length, 0U);
  drafter.read(tokens("cdefg"));
  EXPECT_EQ(drafter.find().length, 0U);
  EXPECT_TRUE(drafter.find().next.empty());
}

TEST(CopyDrafter, NeverMatchesTheTextsOwnEnd) {
  CopyDrafter drafter;
  drafter.read(tokens("xyz"));
  EXPECT_EQ(drafter.find().length, 0U);
  drafter.read(tokens("xyz"));
  EXPECT_EQ(text(drafter.find().next), "xyz");
}

TEST(CopyDrafter, TokenByTokenIsTheSameAsAtOnce) {
  const auto all = tokens("one two three, one two four; one two");
  CopyDrafter whole, parts;
  whole.read(all);
  for (const Token& token : all) parts.read(std::span(&token, 1));
  EXPECT_EQ(whole.find().length, parts.find().length);
  EXPECT_EQ(text(whole.find().next), text(parts.find().next));
  EXPECT_GT(whole.find().length, 6U);
}

TEST(CopyDrafter, TheLongerTheMatchTheSurer) {
  const CopyDrafter::Match three{.length = 3}, nine{.length = 9};
  EXPECT_LT(three.confidence(0), nine.confidence(0));
  EXPECT_LT(three.confidence(0), three.confidence(4));
  EXPECT_LT(nine.confidence(50), 1);
}

}  // namespace
}  // namespace lichen::mechanisms
