// What private values look like: one pattern for each shape, found by Vectorscan all at once, and
// then looked at more closely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "privacy/kind.h"

namespace lichen::privacy {

/// What a word near a number says that the number is.
enum class Cue : std::uint8_t {
  none,
  phone,
  phone_behind,  // stands behind the number: "555 0100 (office)"
  card,
  bank,
  ssn,
  national_id,
  passport,
  driver_license,
  birth,
  postal_code,
  other,  // something that is not private: an order, a version
};

/// The private part of a candidate, a view into it; empty where it is none.
using Check = std::string_view (*)(std::string_view candidate);
/// The whole value in `text` of which `match`, a view into it, is the part that a pattern tells;
/// empty where there is none.
using Grow = std::string_view (*)(std::string_view text, std::string_view match);

struct Pattern {
  enum class Ends : std::uint8_t {
    longest,    // of candidates that begin together, the longest that passes its check
    only_last,  // only the longest is looked at: for what has no bound, such as URLs
  };
  enum class Sides : std::uint8_t {
    alone,  // a number that is not a part of a longer one, as 1.2 in 1.2.3
    any,
  };

  Kind kind;
  std::string regex;  // in Vectorscan's dialect, on bytes: a class holds no letter beyond ASCII
  Check check = [](std::string_view candidate) { return candidate; };
  Grow grow = nullptr;  // in place of `check`
  Cue cue = Cue::none;  // must be the nearest cue in front of it (or behind, if it is a phone)
  Ends ends = Ends::longest;
  Sides sides = Sides::any;
  bool match_case = false;
  bool ends_only = false;  // see Expression; `grow` finds the beginning
};

/// Words that say what follows.
struct CuePattern {
  Cue cue;
  std::string regex;
};

template <bool (*valid)(std::string_view)>
std::string_view if_valid(std::string_view candidate) {
  return valid(candidate) ? candidate : std::string_view();
}

void add_contact_patterns(std::vector<Pattern>& patterns);   // e-mail, phone
void add_network_patterns(std::vector<Pattern>& patterns);   // URL, IP, MAC
void add_money_patterns(std::vector<Pattern>& patterns);     // cards, IBAN, accounts
void add_identity_patterns(std::vector<Pattern>& patterns);  // ids, passports, licenses, births
void add_place_patterns(std::vector<Pattern>& patterns);     // addresses, postal codes
void add_secret_patterns(std::vector<Pattern>& patterns);    // keys, tokens, passwords

std::vector<Pattern> built_in_patterns();
std::vector<CuePattern> cue_patterns();

}  // namespace lichen::privacy
