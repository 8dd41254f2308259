// What a measurement found: a row for each plan, a curve for each router, and how it was made.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eval/baselines.h"
#include "eval/outcome.h"
#include "eval/pairs.h"
#include "eval/router_curves.h"
#include "eval/statistics.h"
#include "eval/suite.h"

namespace lichen::eval {

/// Quality on a part of the suite.
struct Part {
  std::string name;  // a family, or a level
  std::int64_t n = 0;
  std::int64_t right = 0;

  double accuracy() const {
    return n == 0 ? 0 : static_cast<double>(right) / static_cast<double>(n);
  }
};

/// A stretch of the suite, in its order: plans that learn do better in later ones.
struct Stage {
  std::int64_t n = 0;  // requests
  double accuracy = 0;
  double large_request_share = 0;
  std::optional<double> usd = {};  // none: no model that was used has a price
};
inline constexpr std::int64_t kStages = 5;  // of about the same length

struct Row {
  std::string plan;
  std::int64_t n = 0;       // requests, failed ones included
  double accuracy = 0;      // right answers / n: a failed request is a wrong one
  double accuracy_low = 0;  // its 95 % interval (bootstrap_mean)
  double accuracy_high = 0;
  std::optional<Estimate> against_large = {};  // accuracy less that of large alone, task by task;
                                               // none: large alone was not measured
  double large_request_share = 0;              // requests in which a large model did a step / n
  double large_token_share = 0;  // answer tokens that a large model wrote / answer tokens
  std::int64_t answer_tokens = 0;
  std::int64_t tokens_in = 0;  // of all steps of all requests
  std::int64_t tokens_out = 0;
  std::optional<double> usd = {};        // none: no model that was used has a price
  std::optional<double> usd_large = {};  // of it by large models
  std::optional<double> joules = {};     // none: not measured
  std::int64_t bytes_sent = 0;           // that left this device
  std::optional<double> p50_ms = {};     // of answered requests; none when there are none
  std::optional<double> p95_ms = {};
  std::optional<double> p50_first_token_ms = {};
  std::optional<double> p95_first_token_ms = {};
  double tokens_per_s = 0;    // answer tokens / time in which the plan was at work
  std::int64_t failures = 0;  // requests without an answer that could be checked
  std::map<std::string, std::int64_t> errors = {};  // these by their code
  std::vector<Part> families = {};                  // by name; tasks without one are left out
  std::vector<Part> levels = {};                    // by number; likewise
  std::vector<Stage> stages = {};
};

/// How a measurement was made: what somebody needs to make it again. Filled in by the command.
struct Origin {
  std::string command = {};
  std::string version = {};  // of Lichen
  std::string date = {};     // UTC
  std::string cpu = {};
  int cores = 0;
  std::vector<std::pair<std::string, std::string>> settings = {};  // name and value, for people
};

struct Report {
  std::string suite;
  std::vector<Row> rows;
  std::vector<RouterCurves> curves = {};
  std::vector<Pair> pairs = {};
  Baselines baselines = {};
  std::vector<std::string> models = {};  // names of rows that are models rather than plans
  Origin origin = {};

  /// The row of a plan or model, or null.
  const Row* find(std::string_view plan) const;
  bool is_model(std::string_view plan) const;
};

/// Everything of the report but `models` and `origin`. Rows in the order of `plans`; outcomes in
/// any order, at most one for each plan and task.
Report make_report(const Suite& suite, const std::vector<std::string>& plans,
                   const Baselines& baselines, const std::vector<Outcome>& outcomes);

/// {"suite", "rows": [...], "curves": [...], "pairs": [...], "origin"}; docs/evaluation.md has all
/// keys. Shares are 0 to 1.
boost::json::object to_json(const Report& report);

}  // namespace lichen::eval
