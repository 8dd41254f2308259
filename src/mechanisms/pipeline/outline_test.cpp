#include "mechanisms/pipeline/outline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Outline, PointsComeWithTheirLines) {
  Outline outline(12);
  ASSERT_TRUE(outline.take("pri"));
  EXPECT_THAT(outline.points(), IsEmpty());
  ASSERT_TRUE(outline.take("ce\nmaker\nmate"));
  EXPECT_THAT(outline.points(), ElementsAre("price", "maker"));
  ASSERT_TRUE(outline.take("rial"));
  ASSERT_TRUE(outline.finish());
  EXPECT_THAT(outline.points(), ElementsAre("price", "maker", "material"));
  EXPECT_EQ(outline.text(2), "price\nmaker");
  EXPECT_EQ(outline.text(9), "price\nmaker\nmaterial");
}

TEST(Outline, BulletsNumbersAndHeadingsAreNoPoints) {
  Outline outline(12);
  ASSERT_TRUE(
      outline.take("The points:\n\n1. price\n2) maker\n- material\n* type\n\u2022 2 uses\n"
                   "10 years\r\n3.5 kg\n"));
  ASSERT_TRUE(outline.finish());
  EXPECT_THAT(outline.points(),
              ElementsAre("price", "maker", "material", "type", "2 uses", "10 years", "3.5 kg"));
}

TEST(Outline, TellsWhatIsNone) {
  const auto why = [](const std::string& text) {
    Outline outline(3);
    Result<void> done = outline.take(text);
    if (done) done = outline.finish();
    return done ? "" : done.error().detail;
  };
  EXPECT_EQ(why("a\nb\nc"), "");
  EXPECT_EQ(why(""), "the outline has no point");
  EXPECT_EQ(why("The answer is 42."), "the outline has one point only");
  EXPECT_EQ(why("a\nb\na"), "the outline has the point `a` twice");
  EXPECT_EQ(why("a\nb\nc\nd"), "the outline has more than 3 points");
  EXPECT_EQ(why("a\n" + std::string(101, 'x')), "the outline has a line of 101 bytes");
}

TEST(Outline, ALineWithoutEndIsNotReadForever) {
  Outline outline(3);
  Result<void> taken = {};
  int pieces = 0;
  for (; taken && pieces < 100; ++pieces) taken = outline.take("word ");
  EXPECT_FALSE(taken);
  EXPECT_LT(pieces, 50);
}

}  // namespace
}  // namespace lichen::mechanisms
