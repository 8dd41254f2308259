// `prior`: small answers first, and large is told what small says and how sure it is of it
// (SuperICL, arXiv 2305.08848).
//
//   prior:
//     small: small
//     large: large        answers, asked by prompts/prior.txt, and streams
//     confidence: mean    what small's confidence is: as in a cascade (confidence.h), with the same
//                         options; log-probabilities are told as probabilities
//
// Where small fails or says nothing, large answers without, and the receipt says so; a confidence
// that cannot be told is "unknown". The prompt goes around the last message of the user; a raw
// prompt is `unsupported`. Small's answer is a step with the role "draft".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_prior(Options& options);

}  // namespace lichen::mechanisms
