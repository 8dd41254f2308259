// What a private value is, and the names by which the world calls it.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lichen::privacy {

/// In order of precedence: of kinds that fit equally, the first counts.
enum class Kind : std::uint8_t {
  secret,          // keys, tokens, passwords
  credit_card,     //
  iban,            //
  bank_account,    // account numbers of countries, routing numbers, BIC
  us_ssn,          //
  national_id,     // numbers that a state gives a person, other than US_SSN
  passport,        //
  driver_license,  //
  email,           //
  phone,           //
  date_of_birth,   //
  ip_address,      //
  mac_address,     //
  url,             //
  address,         // streets with numbers, boxes, suites
  postal_code,     //
  person,          // this and all to `date`: by their place in a text (NameFinder), or listed
  organization,    //
  location,        //
  nationality,     // also of faiths and parties
  title,           // "Dr.", "Mrs"
  age,             //
  date,            // any; those of birth have a kind of their own
  other,           // from dictionaries, of no other kind
  literal,         // not private: text of the user's that looks like a placeholder
};

inline constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::literal) + 1;

/// A set of kinds, by `index_of`.
using KindSet = std::bitset<kKinds>;
constexpr std::size_t index_of(Kind kind) { return static_cast<std::size_t>(kind); }
/// How often each kind occurred, by `index_of`.
using KindCounts = std::array<std::uint32_t, kKinds>;

/// Upper-case name, as it stands in reports and, unless they have another (PlaceholderNames), in
/// placeholders ("US_SSN"): letters and underscores.
std::string_view name_of(Kind kind);
/// The kind of a name in any case; none where there is no such kind. LITERAL is not for users.
std::optional<Kind> kind_of(std::string_view name);
/// All names that `kind_of` knows, for messages: "SECRET, CREDIT_CARD, ...".
std::string all_kind_names();

/// A private value in a text: bytes `begin` to `end` of UTF-8, at character boundaries.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  Kind kind = Kind::other;

  std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
  bool operator==(const Span&) const = default;
};

}  // namespace lichen::privacy
