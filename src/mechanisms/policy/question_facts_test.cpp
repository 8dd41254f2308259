#include "mechanisms/policy/question_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(QuestionFacts, NumbersInTheirOrder) {
  EXPECT_THAT(facts_of("From 3 to -5.25, please; 1,000."), ElementsAre("3", "-5.25", "1,000"));
  EXPECT_NE(facts_of("from 3 to 5"), facts_of("from 5 to 3"));
  EXPECT_THAT(facts_of("the 2nd of a3b"), ElementsAre("2nd", "a3b"));
}

TEST(QuestionFacts, WhatIsQuoted) {
  EXPECT_THAT(facts_of("say \"two words\", \u201chi\u201d or `x y`."),
              ElementsAre("two words", "hi", "x y"));
  EXPECT_THAT(facts_of("name=\"a b\" and \"open"), ElementsAre("a b"));
}

TEST(QuestionFacts, MarksThatNothingClosesAreLookedForOnce) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "\u00ab ";
  EXPECT_THAT(facts_of(text), IsEmpty());
}

TEST(QuestionFacts, NamesButNotBeginnings) {
  EXPECT_THAT(facts_of("Who knows Ada? Where is Bob Lee."), ElementsAre("Ada", "Bob", "Lee"));
  EXPECT_THAT(facts_of("May I ask?\nPlease tell."), IsEmpty());
  EXPECT_THAT(facts_of("write to a@b.example, /etc/hosts and my_name"),
              ElementsAre("a@b.example", "/etc/hosts", "my_name"));
  EXPECT_THAT(facts_of("NASA is what?"), ElementsAre("NASA"));
}

TEST(QuestionFacts, Negations) {
  EXPECT_THAT(facts_of("Which are not ripe, and don't fall without wind?"),
              ElementsAre("not", "not", "not"));
  EXPECT_EQ(facts_of("Is it ripe?"), facts_of("Is it really ripe?"));
}

TEST(QuestionFacts, OrAllWordsButTheCommonOnes) {
  const auto words = [](std::string_view text) { return facts_of(text, Equal::words); };
  EXPECT_THAT(words("Please tell me the colour of walnut wood."),
              ElementsAre("colour", "walnut", "wood"));
  EXPECT_EQ(words("What is the colour of Kelvo?"), words("Tell me the colour of Kelvo, please."));
  EXPECT_NE(words("reverse walnut"), words("reverse jigsaw"));
  EXPECT_NE(words("where was it?"), words("when was it?"));
  EXPECT_NE(words("true and false"), words("true or false"));
  EXPECT_NE(words("from a hill to a lake"), words("from a lake to a hill"));
  EXPECT_EQ(words("12 + 30"), words("What is 12 + 30? Thanks!"));
  EXPECT_NE(words("x+y"), words("x*y"));
  EXPECT_NE(words("\u00e4pfel"), words("\u00f6pfel"));
}

TEST(QuestionFacts, AnyTextIsTaken) {
  EXPECT_THAT(facts_of(""), IsEmpty());
  EXPECT_THAT(facts_of("\" ` \u201c ... --- ' ?!"), IsEmpty());
  EXPECT_THAT(facts_of("\xff\xfe \x80"), IsEmpty());
}

}  // namespace
}  // namespace lichen::mechanisms
