// `by: linear`: a router that `lichen route train` has made.
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

#include <filesystem>

#include "mechanisms/routing/router.h"
#include "mechanisms/routing/router_file.h"

namespace lichen::mechanisms {

Result<Routing> build_linear(Options& options);

/// What a plan says of a trained router, of whichever kind.
struct TrainedRouting {
  std::filesystem::path path;
  RouterFile file;
  double threshold = 0;
};

/// Reads and checks `router`, `threshold` and `risk`.
Result<TrainedRouting> read_trained(Options& options, RouterKind kind);

}  // namespace lichen::mechanisms
