// A remote model as it is asked under a `mask`.
#pragma once

#include <memory>
#include <string>

#include "lichen/answerer.h"
#include "mechanisms/privacy/mask_rules.h"

namespace lichen::mechanisms {

/// `model`, which sees placeholders in the place of private values, and whose answers come back
/// with the values. What left is noted in the receipt: kinds and counts of each call. Where the
/// policy lets no private value leave, not even a placeholder's, a request with one is `refused`.
///
/// Tokens: a placeholder's become one (RestoredTokens). Places that an answer quotes are left out,
/// since they are places in the masked document.
ModelPtr make_masked(ModelPtr model, std::shared_ptr<MaskRules> rules);

}  // namespace lichen::mechanisms
