// Runs a suite over plans and keeps an outcome of each request; report.h makes a report of them.
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

#include "eval/baselines.h"
#include "eval/journal.h"
#include "eval/outcome.h"
#include "eval/suite.h"
#include "lichen/result.h"
#include "lichen/runtime.h"

namespace lichen::eval {

/// Reads numbers off each request before `plan` answers it; they are kept in the outcome. What that
/// takes is no cost of the plan's. If it fails, so has the request.
struct Observer {
  std::string plan;
  std::function<awaitable<Result<std::vector<float>>>(Request, Turn&)> read;
};

struct MeasureOptions {
  std::vector<std::string> plans = {};  // names of plans or models, measured one after the other
  std::set<std::string> large = {};     // names of the models that count as large
  std::string judge = {};  // plan or model that decides `judge` checks; needed where there are any
  /// Requests in flight at once. One gives each request's latency undisturbed by the others, which
  /// is what p50 and p95 are read for; raise it to see throughput.
  int concurrency = 1;
  std::optional<int> max_tokens = {};  // of an answer
  std::optional<Observer> observer = {};
  /// Gives each checked answer its score, 1 or 0, as feedback, so that plans that learn do.
  bool feedback = false;
  /// Where it is set, its outcomes are taken as they are and new ones are added to it.
  Journal* journal = nullptr;
  /// What a request asks for beside its answer: log-probabilities with so many alternatives; 0:
  /// none.
  int top_logprobs = 0;
  /// Called with each answer, by one thread at a time; may be empty.
  std::function<void(std::string_view plan, std::size_t task, const Answer& answer)> answered = {};
  /// Called after each request, by one thread at a time, with the plan and how many of all requests
  /// (of all plans) are done.
  std::function<void(std::string_view plan, std::size_t done, std::size_t total)> progress = {};
  std::stop_token stop = {};  // cancels what is in flight and ends the measurement
};

/// Whether there is something that can be measured. `not_found`: a plan or judge that does not
/// exist; `bad_request`: no plan, one named twice, no task, a concurrency under 1, a suite that
/// needs a judge without one.
Result<void> check_options(const Runtime& runtime, const Suite& suite,
                           const MeasureOptions& options);

/// The outcomes of all plans and tasks, by plan and task. Blocks until all is measured; `io` must
/// be run by another thread. Decoding is greedy, whatever the models' own sampling is, so that the
/// same suite gives the same answers; they are streamed, so that the first token has its time. Each
/// plan first answers the suite's first prompt once unmeasured, so that none pays for first touches
/// of memory. What a judge does is no cost of the plan's. Turns are `fresh`: a cache in a plan is
/// passed by.
///
/// A request that fails is an outcome, not an error; so is an answer that cannot be checked.
/// `check_options` says what cannot be measured at all; `storage`: the journal, or feedback, cannot
/// be written; `cancelled`: stopped.
Result<std::vector<Outcome>> measure(Runtime& runtime, const boost::asio::any_io_executor& io,
                                     const Suite& suite, MeasureOptions options);

}  // namespace lichen::eval
