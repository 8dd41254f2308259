// How fast plans write beside a plan that gives the same answers: what `lichen bench` measures.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "eval/suite.h"
#include "lichen/result.h"
#include "lichen/runtime.h"

namespace lichen::eval {

struct SpeedOptions {
  std::string plain = {};               // the plan or model that is compared with
  std::vector<std::string> plans = {};  // those that are compared
  std::vector<int> requests = {1, 8};   // at once
  std::vector<double> temperatures = {0, 0.8};
  std::optional<int> max_tokens = {};
  /// Called after each group of requests with how many of all groups are done.
  std::function<void(std::string_view plan, std::size_t done, std::size_t total)> progress = {};
  std::stop_token stop = {};
};

/// One plan under one load.
struct SpeedCell {
  std::string plan;
  int requests = 1;
  double temperature = 0;
  /// Tokens per second after an answer's first one, in units of the plain plan's: how fast it
  /// writes. What the plan does for its start (a drafter's prompt) is part of it.
  double ratio = 0;
  /// The same for whole requests, reading the prompt included.
  double turn_ratio = 0;
  double tokens_per_second = 0;       // of one request at a time, after the first token
  double turn_tokens_per_second = 0;  // likewise, of whole requests
  std::int64_t tokens = 0;
  std::int64_t drafted = 0;
  std::int64_t accepted = 0;
  std::int64_t same = 0;  // at temperature 0: answers that are the plain plan's, of ...
  std::int64_t answers = 0;
  std::vector<std::string> texts = {};  // what the plan answered, task by task

  /// Of the checked guesses; none where there were none.
  std::optional<double> accepted_share() const;
};

/// For each plan and load, the suite in groups of so many requests at once; each group by the plain
/// plan and by the other right after each other, in turns which one first, so that a machine that
/// is faster at times favours neither. One group beforehand is not counted. Blocks; `io` must be
/// run by another thread. The first request that fails is the error; `cancelled`: stopped.
Result<std::vector<SpeedCell>> compare_speed(Runtime& runtime,
                                             const boost::asio::any_io_executor& io,
                                             const Suite& suite, const SpeedOptions& options);

}  // namespace lichen::eval
