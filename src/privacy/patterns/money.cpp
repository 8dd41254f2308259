// Cards and bank accounts.
#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "privacy/checksums.h"
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {
namespace {

/// Whether a network issues cards that begin so, at this length (ISO/IEC 7812 issuer numbers).
bool issued(const Digits& digits) {
  const std::size_t size = digits.size();
  const auto two = digits.number(0, 2), three = digits.number(0, 3), four = digits.number(0, 4);
  if (digits[0] == 4) return size == 13 || size == 16 || size == 19;                  // Visa
  if (two == 34 || two == 37) return size == 15;                                      // Amex
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return size == 16;  // Mastercard
  if (three <= 305 && three >= 300) return size >= 14 && size <= 19;                  // Diners
  if (two == 36 || two == 38 || two == 39) return size >= 14 && size <= 19;
  if (four >= 3528 && four <= 3589) return size >= 16 && size <= 19;  // JCB
  if (four == 1800 || four == 2131) return size == 15;
  if (four >= 2200 && four <= 2204) return size >= 16 && size <= 19;  // Mir
  if (four == 9792) return size == 16;                                // Troy
  // Discover, UnionPay, RuPay and Maestro share 50 and 56 to 69, and 81, 82.
  if (two == 50 || (two >= 56 && two <= 69)) return size >= 12 && size <= 19;
  return (two == 81 || two == 82) && size >= 16 && size <= 19;
}

std::string_view card(std::string_view text) {
  const Digits digits(text);
  return digits.size() >= 12 && digits.size() <= 19 && issued(digits) && luhn(digits)
             ? text
             : std::string_view();
}

struct Country {
  std::string_view code;
  std::size_t length;
};

/// The lengths of ISO 13616's registry.
constexpr auto kIbanLengths = std::to_array<Country>(
    {{"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
     {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
     {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
     {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
     {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
     {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
     {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
     {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
     {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
     {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
     {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
     {"YE", 30}});

/// Countries that the registry lacks pass at any length, by their check digits alone.
std::string_view iban(std::string_view text) {
  std::string number;
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    number += base::to_upper(c);
  }
  const auto* country =
      std::ranges::find(kIbanLengths, std::string_view(number).substr(0, 2), &Country::code);
  if (country != kIbanLengths.end() ? number.size() != country->length : number.size() > 34) {
    return {};
  }
  return mod_97(number.substr(4) + number.substr(0, 4)) == 1 ? text : std::string_view();
}

std::string_view routing_number(std::string_view text) {
  constexpr std::array kWeights = {3, 7, 1, 3, 7, 1, 3, 7, 1};
  const Digits digits(text);
  return digits.size() == 9 && digits.weighted(kWeights) % 10 == 0 ? text : std::string_view();
}

std::string_view account(std::string_view text) {
  const std::size_t size = Digits(text).size();
  return size >= 6 && size <= 18 ? text : std::string_view();
}

}  // namespace

void add_money_patterns(std::vector<Pattern>& patterns) {
  const auto add = [&](Kind kind, const char* regex, Check check, Cue cue = Cue::none) {
    patterns.push_back(
        {.kind = kind, .regex = regex, .check = check, .cue = cue, .sides = Pattern::Sides::alone});
  };
  // As printed on cards: 4-4-4-4, and up to three more; 4-6-5; 4-6-4. Or without a break.
  add(Kind::credit_card, R"(\b\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?:[ -]\d{1,3})?\b)", card);
  add(Kind::credit_card, R"(\b3\d{3}[ -]\d{6}[ -]\d{4,5}\b)", card);
  add(Kind::credit_card, R"(\b\d{13,19}\b)", card);
  add(Kind::credit_card, R"(\b\d{12}\b)", card, Cue::card);
  // Called a card: with a slip of the pen as well.
  add(
      Kind::credit_card, R"(\b\d(?:[ -]?\d){11,18}\b)", [](std::string_view text) { return text; },
      Cue::card);
  // The letters of an account are upper case or lower case; blanks part it in fours.
  add(Kind::iban, R"(\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?\b)", iban);
  add(Kind::bank_account, R"(\b\d(?:[ -]?\d){5,17}\b)", account, Cue::bank);
  add(Kind::bank_account, R"(\b\d{9}\b)", routing_number, Cue::bank);
  patterns.push_back({.kind = Kind::bank_account,
                      .regex = R"(\b[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b)",
                      .cue = Cue::bank,
                      .match_case = true});
}

}  // namespace lichen::privacy
