// `hint`: large writes a hint, such as the first step, and small answers with it. Few of large's
// tokens are enough for much of what small gets wrong (LLM Shepherding, arXiv 2601.22132).
//
//   hint:
//     small: small      answers
//     large: large      writes the hint, asked by prompts/hint_write.txt
//     max_tokens: 64    of the hint
//
// Small is asked by prompts/hint_use.txt and streams. Where large fails or its hint is empty, small
// answers without one, and the receipt says so. Both prompts go around the last message of the
// user; a raw prompt is `unsupported`. What large wrote is a step with the role "hint".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_hint(Options& options);

}  // namespace lichen::mechanisms
