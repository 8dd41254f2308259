// `by: linear`, `knn`, `mf` or `ensemble`: a router that `lichen route train` has made.
//
//   router: my.router   its file
//   threshold: 0.52     need from which on large answers, 0 to 1; or
//   risk: {alpha: 0.05, delta: 0.1}
//                       the threshold that keeps the risk (see risk.h), from the counts that
//                       `lichen route calibrate` left in the file
//   shadow: {share: 0.02, delta: 0.05}
//                       beside `risk`: of this share of the requests, those that small answered are
//                       answered by large too, after the user has the answer (shadow.h). Where more
//                       is lost than calibration promised, an alarm sends everything to large until
//                       there is a new calibration (drift.h); a false one has probability `delta`
//   judge: large        says which of two answers that differ are right; without it their texts are
//                       compared
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
  std::shared_ptr<DriftWatch> watch = {};
  AnswererPtr judge = {};

  Routing with(std::unique_ptr<Router> router) const {
    return {.router = std::move(router), .threshold = threshold, .watch = watch, .judge = judge};
  }
};

/// Reads and checks `router`, `threshold`, `risk`, `shadow` and `judge`.
Result<TrainedRouting> read_trained(Options& options, RouterKind kind);

}  // namespace lichen::mechanisms
