#include "privacy/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "privacy/unmask.h"

namespace lichen::privacy {
namespace {

using ::testing::ElementsAre;

const Detector& detector() {
  static const auto made =
      Detector::make({.kinds = KindSet()
                                   .set(index_of(Kind::email))
                                   .set(index_of(Kind::phone))
                                   .set(index_of(Kind::secret))
                                   .set(index_of(Kind::person)),
                      .dictionary = {{Kind::person, "Ann"}, {Kind::person, "Al"}}});
  EXPECT_TRUE(made) << made.error().detail;
  return *made;
}

std::string masked(Vault& vault, std::string_view text) {
  const auto result = mask(detector(), vault, text);
  EXPECT_TRUE(result) << result.error().detail;
  return result->texts.front();
}

TEST(Mask, PutsPlaceholdersAndCountsThem) {
  Vault vault;
  const auto result = mask(
      detector(), vault, "Mail ann.lee@example.org or bob@example.org; ANN.LEE@example.org works.");
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_THAT(result->texts, ElementsAre("Mail [EMAIL_1] or [EMAIL_2]; [EMAIL_1] works."));
  EXPECT_EQ(result->counts[index_of(Kind::email)], 3U);
  EXPECT_EQ(result->counts[index_of(Kind::phone)], 0U);
}

TEST(Mask, WhatOneTextTellsIsMaskedInAll) {
  Vault vault;
  const std::array<std::string_view, 3> texts = {"555 0184 it was.", "My phone: 555 0184",
                                                 "1555 0184, 555 01842"};
  const auto result = mask(detector(), vault, texts);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_THAT(result->texts,
              ElementsAre("[PHONE_1] it was.", "My phone: [PHONE_1]", "1555 0184, 555 01842"));
}

TEST(Mask, WhatOthersHaveFoundIsMaskedToo) {
  Vault vault;
  const std::array<std::string_view, 2> texts = {"Ann Lee, ann.lee@example.org", "ask ann lee"};
  const Spans names = {
      {{.begin = 0, .end = 7, .kind = Kind::person}, {.begin = 9, .end = 12, .kind = Kind::person}},
      {}};
  const auto result = mask(detector(), vault, texts, names);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_THAT(result->texts, ElementsAre("[PERSON_1], [EMAIL_1]", "ask [PERSON_1]"));
}

TEST(Mask, WhatTheVaultHoldsIsMaskedLater) {
  Vault vault;
  masked(vault, "password: tulip-7");
  EXPECT_EQ(masked(vault, "Then type tulip-7 there."), "Then type [SECRET_1] there.");
  EXPECT_EQ(masked(vault, "Or TULIP-7?"), "Or [SECRET_2]?") << "a secret's case is restored";
}

TEST(Mask, PlaceholdersOfTheUsersAreKeptApart) {
  Vault vault;
  const std::string text =
      "[EMAIL_1] is a form; [email_12], [LITERAL_1], [NOTHING_1], [EMAIL_]; "
      "mine is bob@example.org";
  const std::string out = masked(vault, text);
  EXPECT_EQ(out,
            "[LITERAL_2] is a form; [LITERAL_3], [LITERAL_4], [NOTHING_1], [EMAIL_]; "
            "mine is [EMAIL_2]");
  EXPECT_EQ(unmask(out, vault), text);
  EXPECT_EQ(unmask(unmask(out, vault), vault), text)
      << "no value stands behind what the user wrote";
}

TEST(Mask, PlaceholdersOfTheVaultsStay) {
  Vault vault;
  masked(vault, "mine is bob@example.org");
  EXPECT_EQ(masked(vault, "[EMAIL_1] and [email_1], but [EMAIL_2]"),
            "[EMAIL_1] and [email_1], but [LITERAL_1]");
}

TEST(Mask, SpansOfOthersAreMaskedToo) {
  Vault vault;
  const std::array<std::string_view, 2> texts = {"Zoë met Lee.", "lee left"};
  const auto result =
      mask(vault, texts, {{{0, 4, Kind::person}, {9, 12, Kind::person}}, {{0, 3, Kind::person}}});
  EXPECT_THAT(result.texts, ElementsAre("[PERSON_1] met [PERSON_2].", "[PERSON_2] left"));
}

TEST(Mask, ShortValuesAreMaskedWhereTheyAreFoundOnly) {
  Vault vault;
  EXPECT_EQ(masked(vault, "Al, al and ann"), "[PERSON_1], [PERSON_1] and [PERSON_2]");
  EXPECT_EQ(masked(vault, "CVV: 123"), "CVV: [SECRET_1]");
  EXPECT_EQ(masked(vault, "123 cows"), "123 cows");
}

TEST(Mask, NothingPrivateIsNothingChanged) {
  Vault vault;
  EXPECT_EQ(masked(vault, "What is 12 + 30? [1] [x_1]"), "What is 12 + 30? [1] [x_1]");
  EXPECT_EQ(masked(vault, ""), "");
  EXPECT_TRUE(vault.entries().empty());
}

TEST(Mask, TextThatIsNotUtf8IsAnError) {
  Vault vault;
  const std::array<std::string_view, 2> texts = {"fine", "\xFF"};
  EXPECT_EQ(mask(detector(), vault, texts).error().code, Errc::bad_request);
}

}  // namespace
}  // namespace lichen::privacy
