// By what names placeholders speak of kinds.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lichen/result.h"
#include "privacy/kind.h"

namespace lichen::privacy {

/// `name_of`, unless the models that read them know a kind by another name: `[NAME_1]` in place of
/// `[PERSON_1]`. No two kinds have the same.
class PlaceholderNames {
 public:
  static constexpr std::size_t kLongest = 20;

  PlaceholderNames();
  /// With these in place of some. `bad_config`: a name is not made of A to Z and single underscores
  /// between them, is longer than `kLongest`, or another kind's, too.
  static Result<PlaceholderNames> with(const std::vector<std::pair<Kind, std::string>>& names);
  /// `name_of`, for all who want no others.
  static const PlaceholderNames& plain();

  std::string_view of(Kind kind) const { return names_[index_of(kind)]; }
  /// Whether a placeholder may have this name, in any case.
  bool has(std::string_view name) const;

 private:
  std::array<std::string, kKinds> names_;
};

}  // namespace lichen::privacy
