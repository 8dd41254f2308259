// `cache`: who asks what was asked before gets the answer that was given.
//
//   cache:
//     of: PLAN          answers what is not kept yet
//     entries: 1000     kept at most; what was used longest ago goes first
//     mb: 64            likewise, in MiB of memory
//     ttl: 1h           how long an answer is given again
//     share: key        `all`: also to others than the key that it was made for
//     semantic:         also for a question that says the same in other words (question_facts.h,
//       embedder: MODEL   answer_store.h); by default only for the very same request
//       threshold: 0.97   least cosine; or
//       calibration: FILE that `lichen cache calibrate` made (similarity_calibration.h)
//       equal: words      what must be equal beside; or `facts`
//
// Kept are whole answers, in memory alone. Failures are not, nor what a limit of a model's own cut
// short. The same request at the same time is answered once (answer_flights.h). A turn that is
// `fresh` is answered anew, and its answer takes the old one's place. A hit streams in one piece
// for each author and costs no step but the embedder's ("embed"); its token counts are those of
// when it was made. Once a local model within answers by another version, its answers before are
// not found.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_cache(Options& options);

}  // namespace lichen::mechanisms
