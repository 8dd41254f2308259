// `by: length`: long questions need the large model. The floor that every learned router has to
// beat (RouteLLM, arXiv 2406.18665, compares with such baselines).
//
//   threshold: 400   characters from which on large answers
//
// What counts is the last user message (the whole text of a raw prompt), not the conversation:
// otherwise every long chat would end up with large, however short its questions.
#pragma once

#include "mechanisms/routing/router.h"

namespace lichen::mechanisms {

Result<Routing> build_length_router(Options& options);

}  // namespace lichen::mechanisms
