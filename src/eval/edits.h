// Edits of a text: lines "old => new". It is how a model mends a draft in a few tokens
// (prompts/refine.txt).
#pragma once

#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::eval {

/// `draft` with the edits carried out in their order. The reply "OK", or one without any edit,
/// changes nothing. `bad_request` where a line is no edit, or its old piece is not in the draft
/// exactly once.
Result<std::string> apply_edits(std::string_view draft, std::string_view edits);

}  // namespace lichen::eval
