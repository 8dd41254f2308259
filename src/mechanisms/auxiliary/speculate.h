// `speculate`: a drafter guesses several tokens, and the target checks them in one pass. What is
// answered is what the target alone would have answered, token for token at temperature 0, with the
// same probabilities above (Leviathan et al., arXiv 2211.17192; Chen et al., arXiv 2302.01318).
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_speculate(Options& options);

}  // namespace lichen::mechanisms
