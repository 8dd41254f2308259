// Check digits that several kinds of numbers share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lichen::privacy {

/// The decimal digits of a text, whatever stands between them; 40 at most.
class Digits {
 public:
  explicit Digits(std::string_view text);

  /// Digits in the text; more than 40 count, too, but are not kept.
  std::size_t size() const { return size_; }
  int operator[](std::size_t i) const { return digits_[i]; }
  /// `count` of them from `begin` on, as a number; at most 18.
  std::uint64_t number(std::size_t begin, std::size_t count) const;
  /// Sum of digit times weight over the first of them, one for each weight.
  int weighted(std::span<const int> weights) const;
  bool all_equal() const;

 private:
  std::array<std::uint8_t, 40> digits_ = {};
  std::size_t size_ = 0;
};

/// ISO/IEC 7812-1, annex B: of cards and many national numbers. The last `count` digits are taken.
bool luhn(const Digits& digits, std::size_t count);
inline bool luhn(const Digits& digits) { return luhn(digits, digits.size()); }

/// Dihedral group D5 (Verhoeff 1969).
bool verhoeff(const Digits& digits);

/// ISO/IEC 7064 MOD 11,10, the last digit being the check digit.
bool mod_11_10(const Digits& digits);

/// Letters count as 10 to 35 in either case, all else but digits is passed over: the remainder by
/// 97 (ISO/IEC 7064 MOD 97-10).
int mod_97(std::string_view text);

/// Whether there is such a day; `year` only tells leap years.
bool is_day(int year, int month, int day);

}  // namespace lichen::privacy
