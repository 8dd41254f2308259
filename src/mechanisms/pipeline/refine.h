// `refine`: small drafts, large checks the draft and mends only what is wrong, so that it writes
// few tokens (Self-Refine, arXiv 2303.17651, between two models).
//
//   refine:
//     draft: small
//     by: large
//     check: asked      by prompts/refine.txt (review.h), or by the `likelihood` of the draft under
//                       `by`, then a local model (draft_check.h)
//     accept: 0.5       asked: the least P(OK) with which the draft stands, where `by` gives
//                       log-probabilities; else its word counts. likelihood: the probability under
//                       which a token of the draft is in doubt
//     mend: edits       asked: what it says instead of OK, lines "wrong => right"; likelihood: it
//                       writes the `rest`, from the first token in doubt. Or `answer`: large
//                       answers from the start wherever it does not accept
//     max_tokens: 256   of the edits
//     fallback: other   answers where large fails; without it the plan fails
//
// A draft is held back until it is judged; a local large is stopped as soon as its verdict is
// known, which for OK is after the pass over prompt and draft. Large answers from the start, and
// streams, where small fails or says nothing; where an edit cannot be carried out, for its old
// piece is not in the draft exactly once; and instead of mending where the answer has a form or
// calls tools, or where edits would stand in a text whose log-probabilities are wanted. A raw
// prompt is `unsupported`. Roles of steps: "draft", "refine", "answer", "failed".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_refine(Options& options);

}  // namespace lichen::mechanisms
