#include "privacy/placeholder_names.h"

#include <algorithm>

#include "base/ascii.h"

namespace lichen::privacy {
namespace {

bool well_formed(std::string_view name) {
  if (name.empty() || name.size() > PlaceholderNames::kLongest) return false;
  if (name.front() == '_' || name.back() == '_' || name.contains("__")) return false;
  return std::ranges::all_of(name, [](char c) { return base::is_upper(c) || c == '_'; });
}

}  // namespace

PlaceholderNames::PlaceholderNames() {
  for (std::size_t i = 0; i < kKinds; ++i) names_[i] = name_of(static_cast<Kind>(i));
}

Result<PlaceholderNames> PlaceholderNames::with(
    const std::vector<std::pair<Kind, std::string>>& names) {
  PlaceholderNames all;
  for (const auto& [kind, name] : names) {
    if (!well_formed(name)) {
      return fail(Errc::bad_config, "placeholders of " + std::string(name_of(kind)) +
                                        " cannot be called `" + name +
                                        "`: take 1 to 20 of A to Z, with single underscores "
                                        "between them");
    }
    all.names_[index_of(kind)] = name;
  }
  for (const auto& [kind, name] : names) {
    const auto other = std::ranges::find_if(all.names_, [&](const std::string& one) {
      return one == name && &one != &all.names_[index_of(kind)];
    });
    if (other == all.names_.end()) continue;
    const auto others = static_cast<Kind>(other - all.names_.begin());
    return fail(Errc::bad_config, "placeholders of " + std::string(name_of(kind)) +
                                      " cannot be called " + name + ", since those of " +
                                      std::string(name_of(others)) + " are");
  }
  return all;
}

const PlaceholderNames& PlaceholderNames::plain() {
  static const PlaceholderNames names;
  return names;
}

bool PlaceholderNames::has(std::string_view name) const {
  return std::ranges::any_of(names_, [&](const std::string& one) {
    return std::ranges::equal(one, name, {}, {}, base::to_upper);
  });
}

}  // namespace lichen::privacy
