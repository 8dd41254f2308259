// What a drafter proposes, for `speculate`.
#pragma once

#include <vector>

#include "lichen/session.h"

namespace lichen::mechanisms {

/// A token that may come next, in the target's vocabulary.
struct Guess {
  Token token = -1;
  /// Of its acceptance, 0 to 1, as the drafter sees it; what that is worth, `Acceptance` learns.
  double confidence = 0;
  /// As `Draft::odds`.
  std::vector<TokenOdds> odds = {};
};

}  // namespace lichen::mechanisms
