// `route`: before anything is generated, a router scores how much the request needs the large
// model; small or large then answers alone (RouteLLM, arXiv 2406.18665).
//
//   route:
//     by: length       the router: `length`, or one that was trained: `linear`, `knn`, `mf`,
//                      `ensemble`, `prefill` (length_router.h, trained_router.h, prefill_router.h:
//                      their options)
//     small: small     answers when the score is under the threshold
//     large: large     answers otherwise
//
// Streams as the chosen one does. If the router or the chosen one fails, so does the route; where
// another should answer then, put it into a `fallback`.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_route(Options& options);

}  // namespace lichen::mechanisms
