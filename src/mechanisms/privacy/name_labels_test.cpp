#include "mechanisms/privacy/name_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using privacy::Kind;
using privacy::Span;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kLabels = {"O",          "B-PERSON",   "I-PERSON",
                                          "B-LOCATION", "I-LOCATION", "B-TITLE"};

/// A token, its likeliest label, and how probable that is; the rest is spread over the others.
struct Labelled {
  std::string token;
  std::size_t label = 0;
  float chance = 0.95F;
};

std::string text_of(const std::vector<Labelled>& tokens) {
  std::string text;
  for (const Labelled& token : tokens) text += token.token;
  return text;
}

std::vector<Span> names_in(const std::vector<Labelled>& tokens, float threshold = 0.5F) {
  const auto labels = NameLabels::make(kLabels);
  EXPECT_TRUE(labels) << labels.error().detail;
  std::vector<std::size_t> ends;
  std::vector<float> probabilities;
  std::size_t end = 0;
  for (const Labelled& token : tokens) {
    ends.push_back(end += token.token.size());
    for (std::size_t i = 0; i < kLabels.size(); ++i) {
      const auto others = static_cast<float>(kLabels.size() - 1);
      probabilities.push_back(i == token.label ? token.chance : (1 - token.chance) / others);
    }
  }
  return labels->names(text_of(tokens), ends, probabilities, threshold);
}

Span span(std::size_t begin, std::size_t end, Kind kind) {
  return {.begin = begin, .end = end, .kind = kind};
}

TEST(NameLabels, TokensBecomeWholeWords) {
  EXPECT_THAT(names_in({{"I"}, {" am"}, {" Zel", 1}, {"da", 2}, {" Vor", 2}, {"stein", 2}, {"."}}),
              ElementsAre(span(5, 19, Kind::person)));
}

TEST(NameLabels, AWordIsANameByTheMeanOfItsTokens) {
  // 0.95 and twice 0.05: a third.
  const std::vector<Labelled> tokens = {{" Zel", 1}, {"da", 0}, {"nor", 0}};
  EXPECT_THAT(names_in(tokens), IsEmpty());
  EXPECT_THAT(names_in(tokens, 0.3F), ElementsAre(span(1, 9, Kind::person)));
}

TEST(NameLabels, ABeginningPartsNamesOfOneKind) {
  EXPECT_THAT(names_in({{"Ann", 1}, {" Lee", 2}, {" Bob", 1}}),
              ElementsAre(span(0, 7, Kind::person), span(8, 11, Kind::person)));
}

TEST(NameLabels, ALaterTokenWithoutABeginningBeginsAName) {
  EXPECT_THAT(names_in({{"from"}, {" Lee", 2}}), ElementsAre(span(5, 8, Kind::person)));
}

TEST(NameLabels, AnotherKindInTheMiddleGoesOnWithTheName) {
  // Places outweigh the person.
  EXPECT_THAT(names_in({{"San", 1}, {" Jose", 4}, {" Este", 4}}),
              ElementsAre(span(0, 13, Kind::location)));
}

TEST(NameLabels, MarksJoinOnlyWhereTheyArePartOfAName) {
  EXPECT_THAT(names_in({{"J", 1}, {".", 2}, {" Lee", 2}, {"."}}),
              ElementsAre(span(0, 6, Kind::person)));
  EXPECT_THAT(names_in({{"Lee", 1}, {","}, {" Kim", 2}}),
              ElementsAre(span(0, 3, Kind::person), span(5, 8, Kind::person)));
  EXPECT_THAT(names_in({{"(", 1}, {"Lee", 1}, {")", 2}}), ElementsAre(span(1, 4, Kind::person)));
}

TEST(NameLabels, ATokenOfSeveralMarksCountsForEach) {
  EXPECT_THAT(names_in({{"Rana", 1}, {".,"}, {" Kim", 1}}),
              ElementsAre(span(0, 4, Kind::person), span(7, 10, Kind::person)));
}

TEST(NameLabels, ScriptsWithoutBlanksAreTakenByCharacters) {
  // "I am called Wang Wei": only the name, not all that stands without blanks.
  EXPECT_THAT(names_in({{"我叫"}, {"王", 1}, {"伟", 2}, {"，"}, {"住在"}, {"北京", 3}}),
              ElementsAre(span(6, 12, Kind::person), span(21, 27, Kind::location)));
}

TEST(NameLabels, ACharacterOfSeveralTokensStaysWhole) {
  // The three bytes of one character, as a byte-level vocabulary may part them.
  EXPECT_THAT(names_in({{"\xE7", 1}, {"\x8E\x8B", 1}, {"a"}}),
              ElementsAre(span(0, 3, Kind::person)));
}

TEST(NameLabels, NothingInNothing) {
  EXPECT_THAT(names_in({}), IsEmpty());
  EXPECT_THAT(names_in({{" \n", 1}}), IsEmpty());
}

TEST(NameLabels, LabelsMustBeKnown) {
  const auto detail = [](std::vector<std::string> labels) {
    const auto made = NameLabels::make(labels);
    EXPECT_FALSE(made);
    if (made) return std::string();
    EXPECT_EQ(made.error().code, Errc::bad_model);
    return made.error().detail;
  };
  EXPECT_THAT(detail({}), HasSubstr("first label"));
  EXPECT_THAT(detail({"B-PERSON", "O"}), HasSubstr("first label"));
  EXPECT_THAT(detail({"O", "B-SHOE"}), HasSubstr("\"B-SHOE\""));
  EXPECT_THAT(detail({"O", "PERSON"}), HasSubstr("B-KIND"));
}

}  // namespace
}  // namespace lichen::mechanisms
