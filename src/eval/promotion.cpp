#include "eval/promotion.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <optional>
#include <utility>

#include "mechanisms/routing/risk.h"

namespace lichen::eval {
namespace {

void add(Match& match, bool incumbent, bool candidate) {
  ++match.n;
  match.incumbent += incumbent;
  match.candidate += candidate;
  match.only_incumbent += incumbent && !candidate;
  match.only_candidate += candidate && !incumbent;
}

double percent(std::int64_t right, std::int64_t n) {
  return n == 0 ? 0 : 100 * static_cast<double>(right) / static_cast<double>(n);
}

boost::json::object json_of(const Match& match) {
  return {{"n", match.n},
          {"incumbent", match.incumbent},
          {"candidate", match.candidate},
          {"only_incumbent", match.only_incumbent},
          {"only_candidate", match.only_candidate}};
}

std::string reason_of(const Promotion& promotion, const PromotionRule& rule) {
  const Match& all = promotion.all;
  const std::string shares =
      fmt::format("{:.1f} % right against {:.1f} %, p = {:.2g}", percent(all.candidate, all.n),
                  percent(all.incumbent, all.n), promotion.p);
  if (promotion.p > rule.alpha) {
    return fmt::format("not better at the level {:g}: {}", rule.alpha, shares);
  }
  const auto worst = std::ranges::max_element(promotion.families, {}, &Match::loss);
  if (worst != promotion.families.end() && worst->loss() > rule.family_loss) {
    return fmt::format("worse at {}: {:.1f} % right against {:.1f} %, and {:g} points are allowed",
                       worst->family, percent(worst->candidate, worst->n),
                       percent(worst->incumbent, worst->n), 100 * rule.family_loss);
  }
  return "better: " + shares;
}

}  // namespace

double mcnemar_p(std::int64_t only_first, std::int64_t only_second) {
  // With fair coins, so many heads or more are as probable as so many tails or fewer.
  return mechanisms::binomial_tail(only_first, only_first + only_second, 0.5);
}

Promotion judge_promotion(const Suite& suite, const std::vector<Outcome>& outcomes,
                          const std::string& incumbent, const std::string& candidate,
                          const PromotionRule& rule) {
  std::map<std::size_t, std::pair<std::optional<bool>, std::optional<bool>>> right;  // by task
  for (const Outcome& outcome : outcomes) {
    if (outcome.plan == incumbent) right[outcome.task].first = outcome.right;
    if (outcome.plan == candidate) right[outcome.task].second = outcome.right;
  }
  Promotion promotion;
  std::map<std::string, Match> families;
  for (const auto& [task, both] : right) {
    if (!both.first || !both.second) continue;
    add(promotion.all, *both.first, *both.second);
    const std::string& family = suite.tasks[task].family;
    if (!family.empty()) add(families[family], *both.first, *both.second);
  }
  for (auto& [name, match] : families) {
    match.family = name;
    promotion.families.push_back(match);
  }
  promotion.p = mcnemar_p(promotion.all.only_incumbent, promotion.all.only_candidate);
  promotion.reason = reason_of(promotion, rule);
  promotion.promoted = promotion.reason.starts_with("better");
  return promotion;
}

boost::json::object to_json(const Promotion& promotion) {
  boost::json::object families;
  for (const Match& match : promotion.families) families[match.family] = json_of(match);
  return {{"promoted", promotion.promoted},
          {"reason", promotion.reason},
          {"p", promotion.p},
          {"all", json_of(promotion.all)},
          {"families", std::move(families)}};
}

}  // namespace lichen::eval
