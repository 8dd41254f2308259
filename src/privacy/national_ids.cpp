#include "privacy/national_ids.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "privacy/checksums.h"

namespace lichen::privacy {
namespace {

/// Letters and digits alone, letters in upper case.
std::string compact(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    if (base::is_alphanumeric(c)) kept += base::to_upper(c);
  }
  return kept;
}

/// The day of a birth whose century is not told: 29 February passes if either century has it.
bool is_birth(int year, int month, int day) {
  return is_day(1900 + year, month, day) || is_day(2000 + year, month, day);
}

int two(const Digits& digits, std::size_t at) { return static_cast<int>(digits.number(at, 2)); }

}  // namespace

bool is_us_ssn(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 9) return false;
  const auto area = digits.number(0, 3);
  return area != 0 && area != 666 && area < 900 && digits.number(3, 2) != 0 &&
         digits.number(5, 4) != 0;
}

bool is_us_itin(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 9 || digits[0] != 9) return false;
  const int group = two(digits, 3);
  return group >= 50 && group != 93 && group != 89 && !(group > 65 && group < 70);
}

bool is_uk_nino(std::string_view text) {
  constexpr std::array<std::string_view, 7> kUnused = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
  const std::string number = compact(text);
  return number.size() == 9 && std::ranges::find(kUnused, number.substr(0, 2)) == kUnused.end();
}

bool is_uk_nhs(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 10) return false;
  constexpr std::array kWeights = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  return digits.weighted(kWeights) % 11 == 0 && !digits.all_equal();
}

bool is_german_tax_id(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 11 || digits[0] == 0) return false;
  std::array<int, 10> counts = {};
  for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(digits[i])];
  const auto repeated = std::ranges::count_if(counts, [](int count) { return count > 1; });
  return repeated == 1 && std::ranges::max(counts) <= 3 && mod_11_10(digits);
}

bool is_french_nir(std::string_view text) {
  std::string number = compact(text);
  if (number.size() != 15) return false;
  if (number[5] == '2' && (number[6] == 'A' || number[6] == 'B')) {  // Corsica
    number.replace(5, 2, number[6] == 'A' ? "19" : "18");
  }
  const Digits digits(number);
  return digits.size() == 15 && 97 - digits.number(0, 13) % 97 == digits.number(13, 2);
}

bool is_spanish_nif(std::string_view text) {
  constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
  std::string number = compact(text);
  if (number.size() != 9) return false;
  if (number[0] >= 'X' && number[0] <= 'Z') number[0] = static_cast<char>(number[0] - 'X' + '0');
  const Digits digits(number);
  return digits.size() == 8 && kLetters[digits.number(0, 8) % 23] == number[8];
}

bool is_italian_code(std::string_view text) {
  // Values of 0 to 9, then of A to Z, at odd places; at even ones they are 0 to 9 and 0 to 25.
  constexpr std::array kOdd = {1,  0, 5, 7,  9,  13, 15, 17, 19, 21, 1,  0,
                               5,  7, 9, 13, 15, 17, 19, 21, 2,  4,  18, 20,
                               11, 3, 6, 8,  12, 14, 16, 10, 22, 25, 24, 23};
  const std::string code = compact(text);
  if (code.size() != 16) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const bool digit = code[i] <= '9';
    const int value = digit ? code[i] - '0' : code[i] - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(digit ? value : value + 10)] : value;
  }
  return code[15] == 'A' + sum % 26;
}

bool is_dutch_bsn(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 9) return false;
  constexpr std::array kWeights = {9, 8, 7, 6, 5, 4, 3, 2, -1};
  return digits.weighted(kWeights) % 11 == 0 && !digits.all_equal();
}

bool is_belgian_number(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 11) return false;
  const auto number = digits.number(0, 9), check = digits.number(9, 2);
  return 97 - number % 97 == check || 97 - (number + 2'000'000'000) % 97 == check;
}

bool is_polish_pesel(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 11) return false;
  constexpr std::array kWeights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
  // The century is in the month: 20 more for each after the twentieth, 80 for the nineteenth.
  return digits.weighted(kWeights) % 10 == 0 &&
         is_birth(two(digits, 0), two(digits, 2) % 20, two(digits, 4));
}

bool is_swedish_number(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 10 && digits.size() != 12) return false;
  const std::size_t at = digits.size() - 10;
  const int day = two(digits, at + 4);
  // Coordination numbers have 60 added to the day.
  return luhn(digits, 10) &&
         is_birth(two(digits, at), two(digits, at + 2), day > 60 ? day - 60 : day);
}

bool is_finnish_hetu(std::string_view text) {
  constexpr std::string_view kCheck = "0123456789ABCDEFHJKLMNPRSTUVWXY";
  if (text.size() != 11) return false;
  const Digits digits(std::string(text.substr(0, 6)) + std::string(text.substr(7, 3)));
  return digits.size() == 9 && is_birth(two(digits, 4), two(digits, 2), two(digits, 0)) &&
         kCheck[digits.number(0, 9) % 31] == base::to_upper(text[10]);
}

bool is_danish_cpr(std::string_view text) {
  const Digits digits(text);
  return digits.size() == 10 && is_birth(two(digits, 4), two(digits, 2), two(digits, 0));
}

bool is_norwegian_number(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 11) return false;
  constexpr std::array kFirst = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  constexpr std::array kSecond = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  if (digits.weighted(kFirst) % 11 != 0 || digits.weighted(kSecond) % 11 != 0) return false;
  // D numbers have 40 added to the day, H numbers to the month.
  return is_birth(two(digits, 4), two(digits, 2) % 40, two(digits, 0) % 40);
}

bool is_swiss_ahv(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 13) return false;
  constexpr std::array kWeights = {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1};
  return digits.number(0, 3) == 756 && digits.weighted(kWeights) % 10 == 0;
}

bool is_brazilian_cpf(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 11 || digits.all_equal()) return false;
  constexpr std::array kWeights = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  const auto check = [](int sum) { return sum % 11 < 2 ? 0 : 11 - sum % 11; };
  return check(digits.weighted(std::span(kWeights).subspan(1))) == digits[9] &&
         check(digits.weighted(kWeights)) == digits[10];
}

bool is_mexican_curp(std::string_view text) {
  const std::string code = compact(text);
  if (code.size() != 18 || code[17] > '9') return false;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    // Its alphabet has Ñ behind N.
    const int value = code[i] <= '9' ? code[i] - '0' : code[i] - 'A' + 10 + (code[i] > 'N' ? 1 : 0);
    sum += value * static_cast<int>(18 - i);
  }
  return (10 - sum % 10) % 10 == code[17] - '0';
}

bool is_canadian_sin(std::string_view text) {
  const Digits digits(text);
  return digits.size() == 9 && luhn(digits);
}

bool is_australian_tfn(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 9) return false;
  constexpr std::array kWeights = {1, 4, 3, 7, 5, 8, 6, 9, 10};
  return digits.weighted(kWeights) % 11 == 0 && !digits.all_equal();
}

bool is_aadhaar(std::string_view text) {
  const Digits digits(text);
  return digits.size() == 12 && digits[0] > 1 && verhoeff(digits);
}

bool is_chinese_id(std::string_view text) {
  constexpr std::string_view kCheck = "10X98765432";
  constexpr std::array kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (text.size() != 18) return false;
  const Digits digits(text.substr(0, 17));
  return digits.size() == 17 &&
         is_day(static_cast<int>(digits.number(6, 4)), two(digits, 10), two(digits, 12)) &&
         kCheck[static_cast<std::size_t>(digits.weighted(kWeights) % 11)] ==
             base::to_upper(text[17]);
}

bool is_japanese_number(std::string_view text) {
  const Digits digits(text);
  if (digits.size() != 12) return false;
  constexpr std::array kWeights = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const int rest = digits.weighted(kWeights) % 11;
  return (rest < 2 ? 0 : 11 - rest) == digits[11];
}

bool is_korean_rrn(std::string_view text) {
  const Digits digits(text);
  return digits.size() == 13 && digits[6] >= 1 && digits[6] <= 8 &&
         is_birth(two(digits, 0), two(digits, 2), two(digits, 4));
}

bool is_south_african_id(std::string_view text) {
  const Digits digits(text);
  return digits.size() == 13 && luhn(digits) &&
         is_birth(two(digits, 0), two(digits, 2), two(digits, 4));
}

}  // namespace lichen::privacy
