// What stands in a plan where a mechanism needs logits and its models are no LocalModels: while
// plans are checked before their models are loaded, or with models that an embedding program has
// brought along.
#pragma once

#include <string>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// Every request is `unsupported`: `mechanism` needs the logits of `model`.
AnswererPtr without_logits(std::string mechanism, std::string model);

}  // namespace lichen::mechanisms
