// `cascade`: small answers; if it was sure of its words, that is the answer, else large answers
// (FrugalGPT, arXiv 2305.05176). Sure is: the log-probability of the answer's tokens reaches the
// threshold, their mean ("Chow-average" in arXiv 2404.10136) or the least of them ("Chow-quantile"
// with quantile 0, there).
//
//   cascade:
//     small: small
//     large: large
//     confidence: mean   or `min`
//     threshold: -0.25   natural log-probability from which on small's answer stands, -20 to 0;
//                        higher asks large more often
//
// An accepted answer reaches the sink as a whole, since a draft that may be dropped must not be
// shown; large streams. Large also answers when small fails, gives no log-probabilities, says
// nothing, or is cut short by its own limits. Small's refusal is final, as is the end of the turn.
// The answer's token counts are those of the model that gave it; the receipt has the dropped draft
// as a step with the role "draft".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_cascade(Options& options);

}  // namespace lichen::mechanisms
