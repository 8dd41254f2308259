// Words and phrases that a user holds to be private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "privacy/kind.h"

namespace lichen::privacy {

struct Term {
  Kind kind = Kind::other;
  std::string text;  // found in any case, as whole words, with any white space between them
  bool operator==(const Term&) const = default;
};

/// Terms that a dictionary may have: more cost seconds to compile.
inline constexpr std::size_t kMostTerms = 20'000;

/// One term a line, `KIND: text`, or the text alone for PRIVATE; blank lines and lines that begin
/// with # say nothing. `bad_config` names `origin` and the line.
Result<std::vector<Term>> parse_dictionary(std::string_view lines, std::string_view origin);

/// The regular expression of a term. `bad_config`: it is not UTF-8, or has fewer than 2 or more
/// than 200 bytes.
Result<std::string> regex_of(const Term& term);

}  // namespace lichen::privacy
