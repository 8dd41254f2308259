// What a `mask` of a plan goes by: constant, but for its counters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "mechanisms/privacy/name_finder.h"
#include "privacy/detector.h"
#include "privacy/kind.h"
#include "privacy/placeholder_names.h"

namespace lichen::mechanisms {

enum class PrivatePolicy : std::uint8_t {
  mask,        // placeholders leave in the place of private values
  block,       // a request with private values is refused
  local_only,  // it is answered on this device
};

/// Used by all requests of a plan, from any thread.
struct MaskRules {
  PrivatePolicy policy = PrivatePolicy::mask;
  std::shared_ptr<const privacy::Detector> detector;
  std::shared_ptr<NameFinder> names = {};             // may be null
  privacy::KindSet named = privacy::KindSet().set();  // of what it finds these are masked
  privacy::PlaceholderNames placeholders = {};

  /// Placeholders that left, of each kind by `index_of`; and bodies that were not let leave.
  std::array<std::atomic<std::uint64_t>, privacy::kKinds> masked = {};
  std::atomic<std::uint64_t> refused = 0;
};

/// Whether anything but literals is counted.
bool any_private(const privacy::KindCounts& counts);
/// "2 EMAIL, 1 PHONE"; without literals.
std::string in_words(const privacy::KindCounts& counts);

}  // namespace lichen::mechanisms
