#include "eval/gap.h"

#include <array>
#include <boost/json/value.hpp>

namespace lichen::eval {
namespace {

double share(std::int64_t right, std::int64_t n) {
  return n == 0 ? 0 : static_cast<double>(right) / static_cast<double>(n);
}

}  // namespace

std::optional<double> Gap::closed() const {
  if (large <= small) return std::nullopt;
  return static_cast<double>(student - small) / static_cast<double>(large - small);
}

Gap gap_of(const Suite& suite, const std::string& family, const std::vector<Outcome>& outcomes,
           const GapPlans& plans) {
  struct Answered {
    std::optional<bool> small, student, large;
  };
  std::vector<Answered> answered(suite.tasks.size());
  for (const Outcome& outcome : outcomes) {
    Answered& task = answered[outcome.task];
    if (outcome.plan == plans.small) task.small = outcome.right;
    if (outcome.plan == plans.student) task.student = outcome.right;
    if (outcome.plan == plans.large) task.large = outcome.right;
  }
  Gap gap;
  std::vector<double> differences;
  for (std::size_t i = 0; i < answered.size(); ++i) {
    const auto& [small, student, large] = answered[i];
    if (!small || !student) continue;
    if (suite.tasks[i].family == family) {
      if (!large) continue;
      ++gap.n;
      gap.small += *small;
      gap.student += *student;
      gap.large += *large;
    } else {
      ++gap.others_n;
      gap.others_small += *small;
      gap.others_student += *student;
      differences.push_back(static_cast<double>(*student) - static_cast<double>(*small));
    }
  }
  gap.others = bootstrap_mean(differences);
  return gap;
}

boost::json::object to_json(const Gap& gap) {
  const auto closed = gap.closed();
  return {{"n", gap.n},
          {"small", share(gap.small, gap.n)},
          {"student", share(gap.student, gap.n)},
          {"large", share(gap.large, gap.n)},
          {"gap_closed", closed ? boost::json::value(*closed) : boost::json::value(nullptr)},
          {"others",
           {{"n", gap.others_n},
            {"small", share(gap.others_small, gap.others_n)},
            {"student", share(gap.others_student, gap.others_n)},
            {"difference", gap.others.value},
            {"low", gap.others.low},
            {"high", gap.others.high}}}};
}

}  // namespace lichen::eval
