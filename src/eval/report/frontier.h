// The frontier: quality against cost or latency, over plans. Those that no other plan beats in both
// are joined by a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/report.h"
#include "eval/report/svg.h"

namespace lichen::eval {

enum class Cost : std::uint8_t {
  usd,           // for 1,000 requests; models without a price count nothing
  large_tokens,  // the share of answer tokens that large wrote
  p50_ms,
};

/// USD where any row has some, else the share of large's tokens.
Cost cost_known(const Report& report);

struct FrontierPoint {
  const Row* row = nullptr;
  double cost = 0;
  bool on_frontier = false;  // no other is as good and cheaper, or better and as cheap
};

/// The rows that answered anything, from the cheapest to the dearest.
std::vector<FrontierPoint> frontier_points(const Report& report, Cost cost);

/// An empty frame where no row has such a cost.
Svg draw_frontier(const Report& report, Cost cost, Size size);

/// Quality against `cost_known` as an SVG file of its own, for light and dark surroundings.
std::string frontier_file(const Report& report);

/// "Quality against ...", for headings.
std::string frontier_title(Cost cost);

}  // namespace lichen::eval
