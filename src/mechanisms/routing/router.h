// What `route` asks before generation: how much does this request need the large model? A router
// is one file with a class and a `build_..._router`, and a line in route.cpp.
#pragma once

#include <memory>
#include <string>

#include "lichen/answerer.h"
#include "lichen/request.h"
#include "lichen/result.h"
#include "lichen/turn.h"
#include "mechanisms/mechanism.h"
#include "mechanisms/routing/risk_watch.h"

namespace lichen::mechanisms {

struct Need {
  double score = 0;    // need of the large model, 0 to 1
  std::string reason;  // what it was read from, for the receipt: "812 characters"
  /// Small, where the router has read this prompt with it: answers this request from there on. To
  /// be dropped when large answers, since it holds memory. Null: small has done nothing yet.
  std::unique_ptr<Answerer> small = {};
};

/// Shared by all turns of its plan: safe to use from any thread.
class Router {
 public:
  virtual ~Router() = default;
  /// A router that runs a model adds its steps to the turn's receipt, with the role "route".
  virtual awaitable<Result<Need>> need(Request request, Turn& turn) = 0;
};

/// A router with the score from which on large answers. The user gives `threshold` in the router's
/// own unit; so it is the router's builder that reads it.
struct Routing {
  std::unique_ptr<Router> router;
  double threshold = 0.5;
  RiskWatch watch = {};
};

}  // namespace lichen::mechanisms
