// Runs a suite over plans and measures how right, how fast and how much by the large model they
// answer.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "eval/report.h"
#include "eval/suite.h"
#include "lichen/result.h"
#include "lichen/runtime.h"

namespace lichen::eval {

struct MeasureOptions {
  std::vector<std::string> plans = {};  // names of plans or models, measured one after the other
  std::set<std::string> large = {};     // names of the models that count as large
  /// Requests in flight at once. One gives each request's latency undisturbed by the others, which
  /// is what p50 and p95 are read for; raise it to see throughput.
  int concurrency = 1;
  std::optional<int> max_tokens = {};  // of an answer
  /// Called after each request, by one thread at a time, with the plan and how many of all requests
  /// (of all plans) are done.
  std::function<void(std::string_view plan, std::size_t done, std::size_t total)> progress = {};
  std::stop_token stop = {};  // cancels what is in flight and ends the measurement
};

/// Blocks until all is measured; `io` must be run by another thread. Each plan first answers the
/// suite's first prompt once unmeasured, so that no row pays for first touches of memory.
/// `not_found`: a plan that does not exist; `bad_request`: no plan, or a concurrency under 1;
/// `cancelled`: stopped. A request that fails is counted, not an error. Each turn is in the ledger
/// like any other.
Result<Report> measure(Runtime& runtime, boost::asio::any_io_executor io, const Suite& suite,
                       MeasureOptions options);

/// The configuration to open a runtime with whose plans are compared: without a ledger, since a
/// measurement is no traffic and waits for no disk, and without prefix caches, since all plans answer
/// the same prompts and the later ones would find what the earlier ones have computed.
policy::Config for_measuring(policy::Config config);

/// The models of a configuration that count as large when nobody says: the one named `large`, else
/// the one with the dearest output tokens, else a remote one, else the one with the largest file.
/// Empty when there is only one model.
std::set<std::string> large_models(const policy::Config& config);

}  // namespace lichen::eval
