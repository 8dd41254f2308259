// Whether a candidate is better than what it is to replace, as far as their answers to the same
// tasks tell.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/outcome.h"
#include "eval/suite.h"

namespace lichen::eval {

struct PromotionRule {
  double alpha = 0.05;        // the chance to promote what is not better at all, over 0, below 1
  double family_loss = 0.05;  // share of a family's tasks by which it may be worse, 0 to 1
};

/// Right answers of both to some of the tasks.
struct Match {
  std::string family = {};
  std::int64_t n = 0;
  std::int64_t incumbent = 0;
  std::int64_t candidate = 0;
  std::int64_t only_incumbent = 0;
  std::int64_t only_candidate = 0;

  /// By how much the candidate is worse; below 0: better.
  double loss() const {
    return n == 0 ? 0 : static_cast<double>(incumbent - candidate) / static_cast<double>(n);
  }
};

struct Promotion {
  Match all;
  std::vector<Match> families = {};  // by name
  double p = 1;                      // see mcnemar_p
  bool promoted = false;
  std::string reason = {};  // "better: ...", "not better: ...", "worse at sort: ..."
};

/// The exact one-sided test of McNemar (1947): how probable it is that of `only_first +
/// only_second` tasks that one alone gets right, so many or more are the second's, where both are
/// equally good.
double mcnemar_p(std::int64_t only_first, std::int64_t only_second);

/// From outcomes of both on the suite's tasks; a task that one of them was not asked is left out.
Promotion judge_promotion(const Suite& suite, const std::vector<Outcome>& outcomes,
                          const std::string& incumbent, const std::string& candidate,
                          const PromotionRule& rule);

boost::json::object to_json(const Promotion& promotion);

}  // namespace lichen::eval
