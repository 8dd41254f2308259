#include "privacy/placeholder_series.h"

#include <gtest/gtest.h>

#include "privacy/mask.h"

namespace lichen::privacy {
namespace {

TEST(PlaceholderSeries, NumbersEachName) {
  PlaceholderSeries series;
  EXPECT_EQ(series.next("PERSON"), "[PERSON_1]");
  EXPECT_EQ(series.next("PERSON"), "[PERSON_2]");
  EXPECT_EQ(series.next("EMAIL"), "[EMAIL_1]");
}

TEST(PlaceholderSeries, GivesNoneThatIsAvoided) {
  PlaceholderSeries series;
  series.avoid("[person_1]");
  EXPECT_EQ(series.next("PERSON"), "[PERSON_2]");
  EXPECT_FALSE(series.has_given("[PERSON_1]"));
  EXPECT_TRUE(series.has_given("[Person_2]"));
}

TEST(PlaceholderSeries, VaultsThatShareItGiveDifferentOnes) {
  const auto series = std::make_shared<PlaceholderSeries>();
  Vault outer(PlaceholderNames::plain(), series);
  Vault inner(PlaceholderNames::plain(), series);
  EXPECT_EQ(inner.keep(Kind::person, "Ann Poe").placeholder, "[PERSON_1]");
  EXPECT_EQ(outer.keep(Kind::person, "Zoë Lee").placeholder, "[PERSON_2]");
  const std::string_view text = "Ann Poe and [PERSON_2]";
  EXPECT_EQ(mask(inner, {&text, 1}, {}).texts.at(0), "[PERSON_1] and [PERSON_2]")
      << "the outer one's is no literal";
}

}  // namespace
}  // namespace lichen::privacy
