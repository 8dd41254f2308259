// Who finds names of persons, organizations and places, beside the detector's patterns.
#pragma once

#include <string>
#include <vector>

#include "lichen/turn.h"
#include "privacy/kind.h"

namespace lichen::mechanisms {

/// Safe to use from any thread; lives as long as the plans that hold it.
class NameFinder {
 public:
  virtual ~NameFinder() = default;
  /// Spans of each text, in its order, at character boundaries. What it costs is added to the
  /// turn's receipt; it stops with the turn. Runs on this device only.
  virtual awaitable<Result<std::vector<std::vector<privacy::Span>>>> find(
      std::vector<std::string> texts, Turn& turn) = 0;
};

}  // namespace lichen::mechanisms
