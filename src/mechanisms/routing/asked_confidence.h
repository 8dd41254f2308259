// Confidences that ask a model about small's answer:
//
//   agreement  the share of small's further answers, sampled side by side, that say the same
//              (self-consistency: Wang et al. 2022, arXiv 2203.11171)
//   self       the probability that small itself says yes when it is asked whether its answer is
//              right (P(True): Kadavath et al. 2022, arXiv 2207.05221)
//   verifier   the same, asked of another model or plan
//
//   confidence: agreement
//   samples: 5         2 to 32
//   temperature: 0.7   of the samples, 0.01 to 2
//
//   confidence: verifier
//   verifier: judge    a plan
#pragma once

#include "mechanisms/routing/confidence.h"

namespace lichen::mechanisms {

Result<std::unique_ptr<Confidence>> build_agreement(Options& options, const AnswererPtr& small);
Result<std::unique_ptr<Confidence>> build_self_verification(Options& options,
                                                            const AnswererPtr& small);
Result<std::unique_ptr<Confidence>> build_verifier(Options& options, const AnswererPtr& small);

}  // namespace lichen::mechanisms
