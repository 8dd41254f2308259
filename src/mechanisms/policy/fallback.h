// `fallback`: ordered alternatives; when one fails, the next answers.
//
//   fallback:
//     of: [cloud, large, small]
//     timeout_ms: 0     how long each alternative but the last may take to its first token;
//                       0: as long as the turn and the model's own limits allow
//
// Goes on after any failure of an alternative (unreachable, overloaded, over its budget, prompt
// longer than its context, slower than `timeout_ms`), but not where another would be asked the same
// in vain or behind a policy's back: `bad_request`, `refused`, `cancelled`, and the end of the
// turn. Once text of the failing one has reached a stream, that stays: the next alternative that is
// a model and `continues` writes the rest (not of an answer with tools). Each failure is a decision
// in the receipt; when all have failed, the error lists them.
#pragma once

#include <vector>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_fallback(Options& options);

/// The same as a part of another mechanism, without a time limit.
AnswererPtr make_fallback(std::vector<Operand> of);

}  // namespace lichen::mechanisms
