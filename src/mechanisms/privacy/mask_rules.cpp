#include "mechanisms/privacy/mask_rules.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace lichen::mechanisms {

bool any_private(const privacy::KindCounts& counts) {
  static_assert(privacy::index_of(privacy::Kind::literal) == privacy::kKinds - 1);
  return std::any_of(counts.begin(), counts.end() - 1, [](auto count) { return count > 0; });
}

std::string in_words(const privacy::KindCounts& counts) {
  std::string words;
  for (std::size_t i = 0; i < privacy::index_of(privacy::Kind::literal); ++i) {
    if (counts[i] == 0) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", counts[i],
                         privacy::name_of(static_cast<privacy::Kind>(i)));
  }
  return words;
}

}  // namespace lichen::mechanisms
