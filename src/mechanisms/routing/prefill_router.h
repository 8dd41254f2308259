// `by: prefill`: a router that `lichen route train` has made, over small's own pass over the
// prompt. When small answers it goes on from that pass, so nothing is computed twice.
//
//   router: my.router   its file, which belongs to one small model; and `threshold` or `risk` as
//   for
//                       `by: linear`
//   small: small        a local model
//
// A prompt that small cannot take (too long, a form that it does not offer) goes to large. If small
// fails otherwise, so does the router.
#pragma once

#include "mechanisms/routing/router.h"

namespace lichen::mechanisms {

Result<Routing> build_prefill(Options& options);

}  // namespace lichen::mechanisms
