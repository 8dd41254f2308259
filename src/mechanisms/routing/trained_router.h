// `by: linear`, `knn`, `mf` or `ensemble`: a router that `lichen route train` has made.
//
//   router: my.router   its file
//   threshold: 0.52     need from which on large answers, 0 to 1; or
//   risk: {alpha: 0.05, delta: 0.1}
//                       the threshold that keeps the risk (see risk.h), from the counts that
//                       `lichen route calibrate` left in the file
//   calibration: my.calibration
//                       beside `risk`: the plan's own counts (calibration_file.h) in their place
//   shadow, judge       watch whether the risk is kept (risk_watch.h)
//
// With `risk`, where the file has no counts or too few, large answers everything, and a warning
// says so. A file that cannot be used is an error when the plan is loaded.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "mechanisms/routing/router.h"
#include "mechanisms/routing/router_file.h"

namespace lichen::mechanisms {

Result<Routing> build_trained(Options& options, RouterKind kind);

template <RouterKind kind>
Result<Routing> build_trained(Options& options) {
  return build_trained(options, kind);
}

/// What a plan says of a trained router, of whichever kind.
struct TrainedRouting {
  std::filesystem::path path;
  RouterFile file;
  double threshold = 0;
  RiskWatch watch = {};

  Routing with(std::unique_ptr<Router> router) const {
    return {.router = std::move(router), .threshold = threshold, .watch = watch};
  }
};

/// Reads and checks `router`, `threshold`, `risk`, `calibration`, `shadow` and `judge`.
Result<TrainedRouting> read_trained(Options& options, RouterKind kind);

}  // namespace lichen::mechanisms
