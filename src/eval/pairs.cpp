#include "eval/pairs.h"

#include <boost/json/object.hpp>
#include <map>
#include <utility>

namespace lichen::eval {
namespace {

using RightByTask = std::map<std::size_t, bool>;

Pair pair_of(const std::pair<std::string, RightByTask>& first,
             const std::pair<std::string, RightByTask>& second) {
  Pair pair{.first = first.first, .second = second.first};
  for (const auto& [task, right] : first.second) {
    const auto other = second.second.find(task);
    if (other == second.second.end()) continue;
    ++pair.n;
    pair.both += right && other->second;
    pair.only_first += right && !other->second;
    pair.only_second += !right && other->second;
  }
  return pair;
}

}  // namespace

std::vector<Pair> pairs_of(const std::vector<std::string>& plans,
                           const std::vector<Outcome>& outcomes) {
  std::vector<std::pair<std::string, RightByTask>> measured;
  for (const std::string& plan : plans) {
    RightByTask right;
    for (const Outcome& outcome : outcomes) {
      if (outcome.plan == plan) right[outcome.task] = outcome.right;
    }
    measured.emplace_back(plan, std::move(right));
  }
  std::vector<Pair> pairs;
  for (auto first = measured.begin(); first != measured.end(); ++first) {
    for (auto second = first + 1; second != measured.end(); ++second) {
      Pair pair = pair_of(*first, *second);
      if (pair.n > 0) pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

boost::json::array to_json(const std::vector<Pair>& pairs) {
  boost::json::array array;
  for (const Pair& pair : pairs) {
    array.push_back(boost::json::object{{"first", pair.first},
                                        {"second", pair.second},
                                        {"n", pair.n},
                                        {"both", pair.both},
                                        {"only_first", pair.only_first},
                                        {"only_second", pair.only_second},
                                        {"oracle", pair.oracle()},
                                        {"agreement", pair.agreement()}});
  }
  return array;
}

}  // namespace lichen::eval
