#include "privacy/kind.h"

#include <algorithm>

#include "base/ascii.h"

namespace lichen::privacy {
namespace {

constexpr std::array<std::string_view, kKinds> kNames = {
    "SECRET",        "CREDIT_CARD", "IBAN",           "BANK_ACCOUNT", "US_SSN",
    "NATIONAL_ID",   "PASSPORT",    "DRIVER_LICENSE", "EMAIL",        "PHONE",
    "DATE_OF_BIRTH", "IP_ADDRESS",  "MAC_ADDRESS",    "URL",          "ADDRESS",
    "POSTAL_CODE",   "PERSON",      "ORGANIZATION",   "LOCATION",     "NATIONALITY",
    "TITLE",         "AGE",         "DATE",           "PRIVATE",      "LITERAL"};

}  // namespace

std::string_view name_of(Kind kind) { return kNames[index_of(kind)]; }

std::optional<Kind> kind_of(std::string_view name) {
  for (std::size_t i = 0; i < index_of(Kind::literal); ++i) {
    if (std::ranges::equal(kNames[i], name, {}, {}, base::to_upper)) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

std::string all_kind_names() {
  std::string names;
  for (std::size_t i = 0; i < index_of(Kind::literal); ++i) {
    if (i > 0) names += ", ";
    names += kNames[i];
  }
  return names;
}

}  // namespace lichen::privacy
