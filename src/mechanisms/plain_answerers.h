// Who answers in a mechanism's place, where that is of no use or fails.
#pragma once

#include <string>
#include <string_view>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// Who answers the user's request itself.
struct PlainAnswerers {
  AnswererPtr fallback;  // of the option; null: there is none
  AnswererPtr plain;     // the mechanism's own answerer, and where it fails the fallback
};

/// Reads the option `fallback`, a plan. `key` names the operand that is asked first.
Result<PlainAnswerers> read_fallback(Options& options, std::string_view key,
                                     const AnswererPtr& first);

}  // namespace lichen::mechanisms
