#include "privacy/checksums.h"

#include <algorithm>

#include "base/ascii.h"

namespace lichen::privacy {

Digits::Digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    if (size_ < digits_.size()) digits_[size_] = static_cast<std::uint8_t>(c - '0');
    ++size_;
  }
}

std::uint64_t Digits::number(std::size_t begin, std::size_t count) const {
  std::uint64_t number = 0;
  for (std::size_t i = begin; i < begin + count; ++i) number = number * 10 + digits_[i];
  return number;
}

int Digits::weighted(std::span<const int> weights) const {
  int sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * digits_[i];
  return sum;
}

bool Digits::all_equal() const {
  const auto kept = std::span(digits_).first(std::min(size_, digits_.size()));
  return std::ranges::adjacent_find(kept, std::ranges::not_equal_to()) == kept.end();
}

bool luhn(const Digits& digits, std::size_t count) {
  int sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = digits[digits.size() - 1 - i];
    sum += i % 2 == 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 == 0;
}

bool verhoeff(const Digits& digits) {
  // Multiplication in D5: rotations 0 to 4, reflections 5 to 9.
  const auto times = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
    return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
  };
  constexpr std::array<int, 10> kPermutation = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i];
    for (std::size_t times_over = i % 8; times_over > 0; --times_over) {
      digit = kPermutation[static_cast<std::size_t>(digit)];
    }
    check = times(check, digit);
  }
  return check == 0;
}

bool mod_11_10(const Digits& digits) {
  int product = 10;
  for (std::size_t i = 0; i + 1 < digits.size(); ++i) {
    const int sum = (digits[i] + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (product + digits[digits.size() - 1]) % 10 == 1;
}

int mod_97(std::string_view text) {
  int rest = 0;
  for (const char c : text) {
    if (base::is_digit(c)) {
      rest = (rest * 10 + (c - '0')) % 97;
    } else if (base::is_letter(c)) {
      rest = (rest * 100 + (base::to_lower(c) - 'a' + 10)) % 97;
    }
  }
  return rest;
}

bool is_day(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

}  // namespace lichen::privacy
