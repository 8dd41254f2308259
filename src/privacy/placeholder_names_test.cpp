#include "privacy/placeholder_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::privacy {
namespace {

using testing::HasSubstr;

TEST(PlaceholderNames, AreTheKindsUnlessOthersAreGiven) {
  EXPECT_EQ(PlaceholderNames::plain().of(Kind::person), "PERSON");
  const auto names = PlaceholderNames::with({{Kind::person, "NAME"}, {Kind::credit_card, "CARD"}});
  ASSERT_TRUE(names) << names.error().detail;
  EXPECT_EQ(names->of(Kind::person), "NAME");
  EXPECT_EQ(names->of(Kind::credit_card), "CARD");
  EXPECT_EQ(names->of(Kind::email), "EMAIL");
  EXPECT_TRUE(names->has("name"));
  EXPECT_TRUE(names->has("LITERAL"));
  EXPECT_FALSE(names->has("PERSON"));
}

TEST(PlaceholderNames, KindsMayChangeTheirs) {
  const auto names = PlaceholderNames::with({{Kind::person, "EMAIL"}, {Kind::email, "PERSON"}});
  ASSERT_TRUE(names);
  EXPECT_EQ(names->of(Kind::email), "PERSON");
}

TEST(PlaceholderNames, NoTwoKindsHaveTheSame) {
  const auto names = PlaceholderNames::with({{Kind::person, "EMAIL"}});
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().code, Errc::bad_config);
  EXPECT_THAT(names.error().detail, HasSubstr("since those of EMAIL are"));
  EXPECT_FALSE(PlaceholderNames::with({{Kind::person, "LITERAL"}}));
  EXPECT_FALSE(PlaceholderNames::with({{Kind::person, "WHO"}, {Kind::organization, "WHO"}}));
}

TEST(PlaceholderNames, AreCapitalsAndUnderscores) {
  for (const char* wrong : {"", "name", "NAME1", "_NAME", "NAME_", "A__B", "[NAME]", "NA ME",
                            "ABCDEFGHIJKLMNOPQRSTU"}) {
    const auto names = PlaceholderNames::with({{Kind::person, wrong}});
    ASSERT_FALSE(names) << wrong;
    EXPECT_THAT(names.error().detail, HasSubstr("A to Z"));
  }
  EXPECT_TRUE(PlaceholderNames::with({{Kind::person, "FULL_NAME"}}));
}

}  // namespace
}  // namespace lichen::privacy
