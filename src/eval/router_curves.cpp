#include "eval/router_curves.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "base/format.h"
#include "base/utf8.h"

namespace lichen::eval {
namespace {

constexpr double kAlwaysLarge = -std::numeric_limits<double>::infinity();

using ByTask = std::map<std::size_t, const Outcome*>;

/// The outcomes of each plan, by task.
std::map<std::string_view, ByTask> by_plan(const std::vector<Outcome>& outcomes) {
  std::map<std::string_view, ByTask> plans;
  for (const Outcome& outcome : outcomes) plans[outcome.plan].emplace(outcome.task, &outcome);
  return plans;
}

/// The one scored choice that all requests share, or null.
const ScoredChoice* common_choice(const ByTask& outcomes, const Baselines& baselines) {
  const ScoredChoice* common = nullptr;
  for (const auto& [task, outcome] : outcomes) {
    for (const auto& model : outcome->models) {
      if (model != baselines.small_alone && model != baselines.large_alone) return nullptr;
    }
    if (outcome->choices.size() > 1) return nullptr;
    // Without a score it must be that large was asked, or that the request failed before.
    if (outcome->choices.empty() && !outcome->asked_large && !outcome->failed()) return nullptr;
    if (outcome->choices.empty()) continue;
    const ScoredChoice& choice = outcome->choices.front();
    if (common == nullptr) common = &choice;
    if (choice.mechanism != common->mechanism) return nullptr;
  }
  return common;
}

bool one_threshold(const ByTask& outcomes) {
  std::set<double> thresholds;
  for (const auto& [task, outcome] : outcomes) {
    for (const ScoredChoice& choice : outcome->choices) thresholds.insert(choice.threshold);
  }
  return thresholds.size() == 1;
}

NamedCurve curve_of(std::string name, const std::vector<Replay>& requests) {
  auto points = quality_curve(requests);
  auto figures = figures_of(points);
  return {.name = std::move(name), .points = std::move(points), .figures = figures};
}

RouterCurves curves_of(const Suite& suite, const std::string& plan, const ScoredChoice& choice,
                       const ByTask& routed, const ByTask& small, const ByTask& large) {
  std::vector<Replay> by_router, by_length, by_oracle, by_lot;
  std::size_t right = 0, asked_large = 0, lost = 0;
  for (const auto& [task, outcome] : routed) {
    const auto small_one = small.find(task), large_one = large.find(task);
    if (small_one == small.end() || large_one == large.end()) continue;
    right += outcome->right;
    asked_large += outcome->asked_large;
    lost += large_one->second->right && !outcome->right;
    Replay replay{.small_right = small_one->second->right, .large_right = large_one->second->right};
    by_lot.push_back(replay);  // one score for all: the diagonal
    replay.score = outcome->choices.empty() ? kAlwaysLarge : outcome->choices.front().score;
    by_router.push_back(replay);
    replay.score = -static_cast<double>(base::count_characters(suite.tasks[task].prompt));
    by_length.push_back(replay);
    replay.score = oracle_score(replay.small_right, replay.large_right);
    by_oracle.push_back(replay);
  }
  RouterCurves router{.plan = plan, .mechanism = choice.mechanism};
  if (one_threshold(routed)) router.threshold = choice.threshold;
  if (by_lot.empty()) return router;
  router.curves = {curve_of(plan, by_router), curve_of("length", by_length),
                   curve_of("random", by_lot), curve_of("oracle", by_oracle)};
  router.small_quality = router.curves[0].points.front().quality;
  router.large_quality = router.curves[0].points.back().quality;
  const auto n = static_cast<double>(by_lot.size());
  router.measured = {.share = static_cast<double>(asked_large) / n,
                     .quality = static_cast<double>(right) / n};
  router.risk = static_cast<double>(lost) / n;
  router.auroc = auroc(by_router);
  router.recovered =
      gap_recovered(router.measured.quality, router.small_quality, router.large_quality);
  if (!router.recovered) {
    router.note = "large alone (" + base::format_percent(router.large_quality) +
                  ") is not better than small alone (" +
                  base::format_percent(router.small_quality) +
                  "): there is no gap that a router could recover";
  }
  return router;
}

boost::json::value or_null(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

}  // namespace

std::vector<RouterCurves> router_curves(const Suite& suite, const std::vector<std::string>& plans,
                                        const Baselines& baselines,
                                        const std::vector<Outcome>& outcomes) {
  const auto measured = by_plan(outcomes);
  const auto small = measured.find(baselines.small_alone);
  const auto large = measured.find(baselines.large_alone);
  if (small == measured.end() || large == measured.end()) return {};
  std::vector<RouterCurves> routers;
  for (const auto& plan : plans) {
    const auto routed = measured.find(plan);
    if (routed == measured.end()) continue;
    const auto* choice = common_choice(routed->second, baselines);
    if (choice == nullptr) continue;
    auto router = curves_of(suite, plan, *choice, routed->second, small->second, large->second);
    if (!router.curves.empty()) routers.push_back(std::move(router));
  }
  return routers;
}

boost::json::object to_json(const RouterCurves& router) {
  boost::json::array curves;
  for (const NamedCurve& curve : router.curves) {
    boost::json::array points;
    for (const CurvePoint& point : curve.points) {
      points.push_back(boost::json::array{point.share, point.quality});
    }
    const auto figures = curve.figures.value_or(CurveFigures{});
    curves.push_back(
        boost::json::object{{"name", curve.name},
                            {"apgr", curve.figures ? boost::json::value(figures.apgr) : nullptr},
                            {"cpt50", or_null(figures.cpt50)},
                            {"cpt80", or_null(figures.cpt80)},
                            {"points", std::move(points)}});
  }
  return {
      {"plan", router.plan},
      {"mechanism", router.mechanism},
      {"threshold", or_null(router.threshold)},
      {"small", router.small_quality},
      {"large", router.large_quality},
      {"share", router.measured.share},
      {"quality", router.measured.quality},
      {"pgr", or_null(router.recovered)},
      {"risk", router.risk},
      {"auroc", or_null(router.auroc)},
      {"note", router.note.empty() ? boost::json::value(nullptr) : boost::json::value(router.note)},
      {"curves", std::move(curves)}};
}

}  // namespace lichen::eval
