// `handover`: small writes; where it does not know how to go on, large writes a stretch and hands
// back. Few of an answer's tokens decide how it goes on, and on these the models differ (R2R, arXiv
// 2505.21600; Co-LLM, arXiv 2403.03870).
//
//   handover:
//     small: small
//     large: large
//     by: entropy      how a critical token is told: by the `entropy` of small's distribution of it
//                      in nats, the `margin` between its two likeliest tokens, or a learned `head`
//                      on its hidden state (token_head.h)
//     threshold: 0.4   entropy or probability from which on, or margin under which, a token is
//                      critical
//     span: token      what large writes at least: one `token`, a number of tokens, or the `rest`
//     back: 0          after that it goes on until so many of its tokens in a row are small's too
//
//     head: small.head                    of `by: head`
//     risk: {alpha: 0.05, delta: 0.1}     instead of `threshold`: the boldest one that keeps the
//     calibration: handover.calibration   bound (risk.h), of those that were run
//
// Both are models, small a local one. Where both are local, of one lane and one vocabulary, their
// sessions hold the same tokens: large reads what small has written in one step, and the other way
// round; what is chosen, shown, counted and cut off is as if one model answered, with large's
// `sampling:` for what the request leaves open. The answer ends where the shorter context is full.
//
// Otherwise large is sent the text so far and goes on with it: a request for each stretch, so that
// a long `span` is in place. It must be able to (`Model::continues`; an endpoint that cannot is
// refused when the plan is loaded). Then each model chooses by its own `sampling:`, does not hear
// of the other's tokens in penalties, and tools, grammars and logit_bias are `unsupported`.
//
// The stream is never retracted, since a critical token of small is not written. The answer's
// authors say who wrote what; the receipt has a step for each that did something: `tokens_in` is
// the prompt and the other's tokens that it read, `tokens_out` what it wrote. The decision has no
// score: what another threshold would have given is not in the two models' own answers.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_handover(Options& options);

}  // namespace lichen::mechanisms
