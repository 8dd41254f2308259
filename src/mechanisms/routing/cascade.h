// `cascade`: small answers; if it may be trusted with that, it is the answer, else large answers
// (FrugalGPT, arXiv 2305.05176). What it goes by is a confidence (confidence.h), which has to reach
// a threshold; or the threshold comes from calibration data and a bound on the risk (risk.h).
//
//   cascade:
//     small: small
//     large: large
//     confidence: min    token_confidence.cpp and asked_confidence.h have them all
//     threshold: -0.4    in the confidence's own unit; higher asks large more often
//
//     risk: {alpha: 0.05, delta: 0.1}     instead of `threshold`
//     calibration: cascade.calibration
//     shadow, judge      watch whether the risk is kept (risk_watch.h)
//
//     early_stop: true   stops small at the first token under the threshold, where the confidence
//     is
//                        that of the least sure token (early_stop.h)
//
//     hedge: auto        or `never`, `always`: when large begins before small has been judged
//
// With `auto` a cascade keeps the usual times of both, and lets large begin beside small where
// waiting any longer would take large past its own 95th percentile or the turn's deadline; where
// even small and then large would, large is asked at once. Two local models of one lane never write
// side by side with `auto`: there they would only slow each other down. What large writes is held
// back until small is judged. Small's answer stops large, large's whole answer stops small, each
// within one step; the receipt has what both cost until then, large's part with the role
// "cancelled".
//
// An accepted answer reaches the sink as a whole, since a draft that may be dropped must not be
// shown; large streams. Large also answers when small fails, gives no log-probabilities, says
// nothing, is stopped early, or is cut short by its own limits. Small's refusal is final, as is the
// end of the turn. The answer's token counts are those of the model that gave it; the receipt has
// the dropped draft as a step with the role "draft".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_cascade(Options& options);

}  // namespace lichen::mechanisms
