// Finds the values of a vault wherever they stand.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "privacy/vault.h"

namespace lichen::privacy {

/// Looks for every way in which the vault's values were written when this was made, in any case, as
/// whole words. Literals and values of fewer than `kShortestSought` bytes are not looked for. One
/// pass over the text: the first four bytes decide by a table whether more are compared (after
/// Rabin and Karp). The vault outlives it. Immutable.
class ValueFinder {
 public:
  explicit ValueFinder(const Vault& vault);

  struct Found {
    Span span;
    const Vault::Entry* entry;
  };
  /// In order of their places, none overlapping: of those that begin together, the longest.
  std::vector<Found> find(std::string_view text) const;

 private:
  struct Head {
    std::uint32_t bytes;  // the first four of the form
    const Vault::Form* form;
  };

  const Vault& vault_;
  std::vector<Head> heads_;  // by bytes, then longest form first
  std::bitset<1 << 16> present_;
};

}  // namespace lichen::privacy
