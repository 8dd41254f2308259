#include "eval/report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>

namespace lichen::eval {
namespace {

boost::json::value or_null(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

}  // namespace

boost::json::object to_json(const Report& report) {
  boost::json::array rows;
  for (const Row& row : report.rows) {
    rows.push_back({{"plan", row.plan},
                    {"n", row.n},
                    {"accuracy", row.accuracy},
                    {"large_request_share", row.large_request_share},
                    {"large_token_share", row.large_token_share},
                    {"p50_ms", or_null(row.p50_ms)},
                    {"p95_ms", or_null(row.p95_ms)},
                    {"tokens_per_s", row.tokens_per_s},
                    {"failures", row.failures}});
  }
  return {{"suite", report.suite}, {"rows", std::move(rows)}};
}

std::optional<double> percentile(std::span<const double> values, double percent) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  // The small allowance keeps 0.95 * 20, which is 19.000000000000004 in binary, at rank 19.
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()) - 1e-9);
  const auto index =
      static_cast<std::size_t>(std::clamp(rank, 1.0, static_cast<double>(sorted.size())) - 1);
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(index));
  return sorted[index];
}

}  // namespace lichen::eval
