// How two plans complement each other: what is right where the better one is chosen for each task.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/outcome.h"

namespace lichen::eval {

/// Of the tasks that both plans were asked.
struct Pair {
  std::string first;
  std::string second;
  std::int64_t n = 0;
  std::int64_t both = 0;  // right
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;

  /// Share of right answers of who always chooses a right one: no choice between the two is better.
  double oracle() const { return share(both + only_first + only_second); }
  /// Share of the tasks that both get right or both get wrong.
  double agreement() const { return share(n - only_first - only_second); }

 private:
  double share(std::int64_t count) const {
    return n == 0 ? 0 : static_cast<double>(count) / static_cast<double>(n);
  }
};

/// All pairs of the plans that have tasks in common, in the plans' order.
std::vector<Pair> pairs_of(const std::vector<std::string>& plans,
                           const std::vector<Outcome>& outcomes);

boost::json::array to_json(const std::vector<Pair>& pairs);

}  // namespace lichen::eval
