// Reads what stands around the word that tells a street.
#pragma once

#include <string_view>

namespace lichen::privacy {

// Each is a `Grow`: the address in `text` around the match, with suite, town, state and postal code
// where they follow and end in a code; empty where the house's number is missing.

/// "221B Baker Street": `match` is " Street".
std::string_view number_name_kind(std::string_view text, std::string_view match);
/// "Hauptstraße 5", "Villacher Strasse 89": `match` is "straße 5" or " Strasse 89".
std::string_view name_kind_number(std::string_view text, std::string_view match);
/// "9 rue de la Paix", "Via Roma 131": `match` is "rue " or "Via ".
std::string_view kind_name(std::string_view text, std::string_view match);
/// "P.O. Box 149": `match` is all of that.
std::string_view with_town(std::string_view text, std::string_view match);

}  // namespace lichen::privacy
