// `route`: before anything is generated, a router scores how much the request needs the large
// model; small or large then answers alone (RouteLLM, arXiv 2406.18665).
//
//   route:
//     by: length       the router, `length`, `linear` or `prefill` (see its header for options)
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
