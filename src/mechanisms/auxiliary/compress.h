// `compress`: small reads the prompt, and what large can do without is left out before large gets
// it (LLMLingua, arXiv 2310.05736; LongLLMLingua, arXiv 2310.06839).
//
//   compress:
//     by: small             a local model, whose perplexities tell what matters
//     of: large             answers the shortened prompt
//     ratio: 0.5            of the tokens stays; or
//     tokens: 1000          as many as this
//     leave_out: sentences  or words, or both
//     from: 256             tokens; shorter prompts go as they are
//     on_failure: whole     where small fails the whole prompt goes; or error
//
// Messages of users and tools are shortened, those of the system and of assistants never. What
// small read is a step with the role "compress", and the decision says how many tokens there were
// before and after. A raw prompt is `unsupported`: nobody can tell its question from a template's
// marks.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_compress(Options& options);

}  // namespace lichen::mechanisms
