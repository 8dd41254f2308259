#include "mechanisms/auxiliary/prompt_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(std::string_view text) {
  std::vector<std::string> texts;
  for (const PromptPart& part : parts_of(text)) texts.push_back(part.text);
  return texts;
}

std::vector<std::string> of_hold(std::span<const PromptPart> parts, Hold hold) {
  std::vector<std::string> texts;
  for (const PromptPart& part : parts) {
    if (part.hold == hold) texts.push_back(part.text);
  }
  return texts;
}

std::vector<std::string> question_of(std::string_view text) {
  std::vector<PromptPart> parts = parts_of(text);
  hold_question(parts);
  return of_hold(parts, Hold::question);
}

/// The words of a part that are held, without white space.
std::vector<std::string> held(std::string_view part) {
  std::vector<std::string> words;
  for (std::size_t at = 0; const auto& [bytes, is_held] : words_of(part)) {
    std::string word(part.substr(at, bytes));
    std::erase_if(word, [](char c) { return c == ' '; });
    if (is_held) words.push_back(word);
    at += bytes;
  }
  return words;
}

TEST(PromptParts, EndBehindSentencesAndLines) {
  EXPECT_THAT(texts(""), IsEmpty());
  EXPECT_THAT(texts("One is. Two? Three!\"  Four\nfive\n\n  six"),
              ElementsAre("One is. ", "Two? ", "Three!\"  ", "Four\n", "five\n\n", "  six"));
  EXPECT_THAT(texts("Version 2.5 of e.g. Dr. Lee's lib. is here. 2. It"),
              ElementsAre("Version 2.5 of e.g. Dr. Lee's lib. is here. ", "2. It"));
  EXPECT_THAT(texts("今日は。雨だ！ はい"), ElementsAre("今日は。", "雨だ！ ", "はい"));
}

TEST(PromptParts, LongSentencesAreCutAndStayValid) {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "wörd ";
  std::string one_word;
  for (std::size_t i = 0; i < kMostPartBytes; ++i) one_word += "ü";
  for (const std::string& text : {words, one_word, std::string(3 * kMostPartBytes, ' ')}) {
    const std::vector<PromptPart> parts = parts_of(text);
    EXPECT_GT(parts.size(), 1U);
    std::string all;
    for (const PromptPart& part : parts) {
      EXPECT_LE(part.text.size(), kMostPartBytes);
      EXPECT_TRUE(base::valid_utf8(part.text));
      all += part.text;
    }
    EXPECT_EQ(all, text);
  }
}

TEST(PromptParts, FencesAndCodeStandAsTheyAre) {
  const auto parts = parts_of(
      "Keep <keep>this. And this</keep> here.\n```c\nint a;\n\n<keep>b</keep>\n```\nBack. "
      "<keep></keep><keep> not closed");
  EXPECT_THAT(of_hold(parts, Hold::verbatim),
              ElementsAre("this. And this", "```c\nint a;\n\n<keep>b</keep>\n```\n"));
  EXPECT_THAT(of_hold(parts, Hold::none),
              ElementsAre("Keep ", " here.\n", "Back. ", "<keep> not closed"));
  EXPECT_THAT(of_hold(parts_of("A\n~~~\nb\n```\n~~~ \nc"), Hold::verbatim),
              ElementsAre("~~~\nb\n```\n~~~ \n"));
  EXPECT_THAT(of_hold(parts_of("<keep>``` a\nb</keep>``` c\n```\nd"), Hold::verbatim),
              ElementsAre("``` a\nb", "```\nd"))
      << "a mark within a line, or within a fence, is none";
}

TEST(PromptParts, TheQuestionStandsAtEitherEnd) {
  const std::string context = "A is. B is. C is. D is. E is. F is. G is. H is.";
  EXPECT_THAT(question_of("Read this. What is it?\n" + context),
              ElementsAre("Read this. ", "What is it?\n", "G is. ", "H is."));
  EXPECT_THAT(question_of(context + "\n\nJob: find it.\nReply with it, or none."),
              ElementsAre("A is. ", "B is. ", "Job: find it.\n", "Reply with it, or none."));
  EXPECT_THAT(question_of("Given this, what is it? " + context),
              ElementsAre("Given this, what is it? ", "G is. ", "H is."));
  EXPECT_THAT(question_of("What is it?"), ElementsAre("What is it?"));
  EXPECT_THAT(question_of(""), IsEmpty());
}

TEST(PromptParts, WhatIsLeftOutLeavesLinesApart) {
  const auto parts = parts_of("One. Two.\n\nThree.\nFour. Five.");
  EXPECT_EQ(join_parts(parts, {true, true, true, true, true}), "One. Two.\n\nThree.\nFour. Five.");
  EXPECT_EQ(join_parts(parts, {true, false, false, true, true}), "One.\n\nFour. Five.");
  EXPECT_EQ(join_parts(parts, {true, false, false, false, true}), "One.\n\nFive.");
  EXPECT_EQ(join_parts(parts, {false, false, false, true, false}), "Four. ");
  EXPECT_EQ(join_parts(parts_of("<keep>a</keep> b. <keep>c</keep>"), {true, false, true}), "a c");
}

TEST(PromptParts, WordsOfWeightAreHeld) {
  EXPECT_THAT(held("The code of Mr. Lee is 12a, not [NAME_2]'s at a/b or NASA."),
              ElementsAre("Mr.", "Lee", "12a,", "not", "[NAME_2]'s", "a/b", "NASA", "."));
  EXPECT_THAT(held("There it isn't. "), ElementsAre("isn't", "."));
  EXPECT_THAT(held("in Ústí "), ElementsAre("Ústí", ""));
  EXPECT_THAT(held("one\ntwo"), ElementsAre("\ntwo"));
  std::size_t bytes = 0;
  for (const PromptWord& word : words_of("  A b,  c?! \n")) bytes += word.bytes;
  EXPECT_EQ(bytes, std::string("  A b,  c?! \n").size());
}

}  // namespace
}  // namespace lichen::mechanisms
