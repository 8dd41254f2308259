// What a measurement found: one row for each plan.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lichen::eval {

struct Row {
  std::string plan;
  std::int64_t n = 0;                 // requests, failed ones included
  double accuracy = 0;                // right answers / n: a failed request is a wrong one
  double large_request_share = 0;     // requests in which a large model did a step / n
  double large_token_share = 0;       // answer tokens that a large model wrote / answer tokens
  std::optional<double> p50_ms = {};  // of answered requests; none when there are none
  std::optional<double> p95_ms = {};
  double tokens_per_s = 0;    // answer tokens / wall-clock time of the plan's run
  std::int64_t failures = 0;  // requests without an answer that could be checked
};

struct Report {
  std::string suite;
  std::vector<Row> rows;
};

/// {"suite", "rows": [{"plan", "n", "accuracy", "large_request_share", "large_token_share",
/// "p50_ms", "p95_ms", "tokens_per_s", "failures"}]}; shares are 0 to 1.
boost::json::object to_json(const Report& report);

/// The nearest-rank percentile: the smallest value that at least `percent` (over 0, to 100) of all
/// values do not exceed. Always one of the values; none when there are none.
std::optional<double> percentile(std::span<const double> values, double percent);

}  // namespace lichen::eval
