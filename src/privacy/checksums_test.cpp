#include "privacy/checksums.h"

#include <gtest/gtest.h>

#include <array>

namespace lichen::privacy {
namespace {

TEST(Digits, AreWhatStandsBetweenOtherSigns) {
  const Digits digits("(0)1-2 3x4");
  EXPECT_EQ(digits.size(), 5U);
  EXPECT_EQ(digits.number(1, 4), 1234U);
  EXPECT_EQ(digits.weighted(std::array{1, 10, 100}), 210);
  EXPECT_FALSE(digits.all_equal());
  EXPECT_TRUE(Digits("77-77").all_equal());
}

TEST(Digits, MoreThanAreKeptAreCounted) { EXPECT_EQ(Digits(std::string(100, '1')).size(), 100U); }

TEST(Checksums, Luhn) {
  EXPECT_TRUE(luhn(Digits("79927398713")));  // the example of the standard's usual description
  EXPECT_FALSE(luhn(Digits("79927398710")));
  EXPECT_TRUE(luhn(Digits("99 79927398713"), 11));
}

TEST(Checksums, Verhoeff) {
  EXPECT_TRUE(verhoeff(Digits("2363")));
  EXPECT_FALSE(verhoeff(Digits("2364")));
  EXPECT_FALSE(verhoeff(Digits("3263"))) << "two digits that have changed places";
}

TEST(Checksums, Mod11And10) {
  EXPECT_TRUE(mod_11_10(Digits("07945")));  // ISO/IEC 7064: 0794 has the check digit 5
  EXPECT_FALSE(mod_11_10(Digits("07946")));
}

TEST(Checksums, Mod97) {
  EXPECT_EQ(mod_97("3214282912345698765432161182"), 1);
  EXPECT_EQ(mod_97("wEST 1234 5698 7654 32 gb 82"), 1);
  EXPECT_NE(mod_97("WEST12345698765432GB83"), 1);
}

TEST(Checksums, Days) {
  EXPECT_TRUE(is_day(2000, 2, 29));
  EXPECT_FALSE(is_day(1900, 2, 29));
  EXPECT_FALSE(is_day(2001, 4, 31));
  EXPECT_FALSE(is_day(2001, 0, 1));
  EXPECT_FALSE(is_day(2001, 13, 1));
  EXPECT_FALSE(is_day(2001, 1, 0));
}

}  // namespace
}  // namespace lichen::privacy
