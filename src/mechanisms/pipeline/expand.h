// `expand`: large writes an outline, small writes all of its points side by side
// (Skeleton-of-Thought, arXiv 2307.15337).
//
//   expand:
//     outline: large       asked by prompts/outline.txt; answers itself where that gives no outline
//     by: small            writes each point, asked by prompts/expand.txt
//     begin: outline       when points are begun: at the end of the `outline`, or each at the end
//     of
//                          its `line`, and then with the outline up to there
//     accept: 0            the least probability of the outline's least likely token, where it
//     gives
//                          log-probabilities: how sure large must be that these are its points
//     points: 12           at most
//     outline_tokens: 128
//     point_tokens: 256    of each point
//     fallback: other      writes points at which small fails, and answers where large fails;
//                          without it the plan fails
//
// The points stand in the outline's order, each on lines of its own. The first streams once the
// outline is complete, those behind it follow as soon as it is their turn. Until then nothing is
// shown, so large can answer plainly where there are fewer than two points, too many, one twice,
// lines that are too long for one, or ones it is not sure of; also where a form or tools are
// wanted. Stop strings and `max_tokens` hold for the whole. A raw prompt is `unsupported`. Roles of
// steps: "outline", "answer"; "failed", "cancelled", "unused".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_expand(Options& options);

}  // namespace lichen::mechanisms
