#include "mechanisms/pipeline/findings.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::mechanisms {
namespace {

Citation at(std::int64_t begin, std::string text) {
  return {.text = std::move(text), .begin = begin, .end = begin + 5};
}

TEST(Findings, NoneIsNoFinding) {
  for (const char* const reply :
       {"none", " None.\n", "", "...", "none: it is not there", "None of this text says so."}) {
    EXPECT_TRUE(abstains(reply)) << reply;
  }
  EXPECT_FALSE(abstains("nonetheless 5"));
  EXPECT_FALSE(abstains("profit: 5"));
}

TEST(Findings, NumbersMustComeFromSomewhere) {
  const std::string chunk = "In 2020 the profit was 1,204.50 and 12 people left.";
  EXPECT_TRUE(numbers_are_there("profit: 1204.50", chunk, ""));
  EXPECT_TRUE(numbers_are_there("12.", chunk, ""));
  EXPECT_TRUE(numbers_are_there("no number", chunk, ""));
  EXPECT_FALSE(numbers_are_there("profit in 2021: 12", chunk, ""));
  EXPECT_TRUE(numbers_are_there("profit in 2021: 12", chunk, "the profit in 2021"));
  EXPECT_FALSE(numbers_are_there("profit: 120", chunk, "")) << "a part of a number is another one";
}

TEST(Findings, ArePlacedAtTheSentenceThatSupportsThemMost) {
  const std::string text = "Gupa was red. The profit of Gupa in 2020 was 5. Gupa sang.";
  const Span all{.begin = 0, .end = text.size()};
  const Place right = place_of("profit of Gupa in 2020: 5", text, all);
  EXPECT_EQ(right.sentence.of(text), "The profit of Gupa in 2020 was 5.");
  EXPECT_EQ(right.support, 1);
  EXPECT_EQ(place_of("profit of Gupa in 2021: 5", text, all).support, 0.75);
  const Place nowhere = place_of("nothing like this", text, all);
  EXPECT_EQ(nowhere.sentence, all);
  EXPECT_EQ(nowhere.support, 0);
  EXPECT_EQ(place_of("a b", text, all).support, 1) << "there is nothing to go by";
}

TEST(Findings, TheSameCountsOnceAtItsFirstPlace) {
  Findings findings(10);
  EXPECT_TRUE(findings.add(1, at(70, "b: 2")));
  EXPECT_TRUE(findings.add(0, at(50, "a: 1")));
  EXPECT_FALSE(findings.add(1, at(20, "B:  2.")));
  EXPECT_TRUE(findings.add(1, at(40, "c: 3")));
  EXPECT_FALSE(findings.add(2, at(90, "a: 1")));
  EXPECT_EQ(findings.text(), "a: 1\nB:  2.\nc: 3") << "by job and place";
  EXPECT_EQ(findings.citations()[1].begin, 20);
  EXPECT_TRUE(findings.has(2)) << "another job had found it";
  EXPECT_FALSE(findings.has(3));
}

TEST(Findings, AreBoundedFairly) {
  Findings findings(4);
  for (int i = 0; i < 6; ++i) findings.add(0, at(i, "x " + std::to_string(i)));
  findings.add(1, at(9, "y"));
  EXPECT_EQ(findings.text(), "x 0\nx 1\nx 2\ny") << "a job that finds much crowds out no other";
  EXPECT_EQ(findings.left_out(), 3u);
  EXPECT_TRUE(findings.halve());
  EXPECT_EQ(findings.text(), "x 0\ny");
  EXPECT_TRUE(findings.halve());
  EXPECT_FALSE(findings.halve());
  EXPECT_EQ(findings.size(), 1u);
}

}  // namespace
}  // namespace lichen::mechanisms
