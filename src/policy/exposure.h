// What of a request a plan's remote models get to see.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/config.h"

namespace lichen::policy {

/// Of what is private: all, placeholders for it, or nothing.
enum class Shown : std::uint8_t { clear, masked, never };
std::string_view to_string(Shown shown);

struct Exposure {
  std::string model;
  Shown shown;

  auto operator<=>(const Exposure&) const = default;
};

/// The remote models of a plan, also of plans that it names, by name; one that is asked in several
/// ways stands there for each. A word that happens to be a model's name counts as that model.
std::vector<Exposure> exposures(const Config& config, const PlanConfig& plan);

/// Whether a `mask` stands in an expression, or in a plan that it names.
bool holds_mask(const Config& config, const YamlNode& expression);

}  // namespace lichen::policy
