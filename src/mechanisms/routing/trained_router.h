// `by: linear`, `knn`, `mf` or `ensemble`: a router that `lichen route train` has made.
//
//   router: my.router   its file
//   threshold: 0.52     need from which on large answers, 0 to 1; or
//   risk: {alpha: 0.05, delta: 0.1}
//                       the threshold that keeps the risk (see risk.h), from the counts that
//                       `lichen route calibrate` left in the file
//
// With `risk`, where the file has no counts or too few, large answers everything, and a warning
// says so. A file that cannot be used is an error when the plan is loaded.
#pragma once

#include "mechanisms/routing/router.h"
#include "mechanisms/routing/router_file.h"

namespace lichen::mechanisms {

Result<Routing> build_trained(Options& options, RouterKind kind);

template <RouterKind kind>
Result<Routing> build_trained(Options& options) {
  return build_trained(options, kind);
}

}  // namespace lichen::mechanisms
