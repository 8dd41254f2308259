#include "eval/route_evaluation.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <numeric>

#include "base/utf8.h"
#include "eval/tasks/random.h"
#include "mechanisms/routing/example_router.h"

namespace lichen::eval {
namespace {

using mechanisms::Example;
using mechanisms::ExampleRouter;

constexpr std::uint64_t kSeed = 0x6c696368656e;  // of resampling: the same data, the same figures
constexpr std::size_t kTimedDecisions = 2'000;   // most

Result<ExampleRouter> trained(const std::vector<Example>& examples,
                              const mechanisms::TrainingOptions& options) {
  const auto file = mechanisms::train_router(examples, options);
  if (!file) return std::unexpected(file.error());
  return ExampleRouter::open(*file);
}

/// The scores' order does not depend on the sample, so it is sorted once.
Estimate apgr_interval(std::vector<Replay> requests, double value) {
  std::ranges::sort(requests, {}, &Replay::score);
  tasks::Random random(kSeed);
  const int n = static_cast<int>(requests.size());
  std::vector<double> areas;
  std::vector<int> drawn(requests.size());
  std::vector<Replay> sample;
  for (int i = 0; i < kResamples; ++i) {
    std::ranges::fill(drawn, 0);
    for (int k = 0; k < n; ++k) ++drawn[static_cast<std::size_t>(random.below(n))];
    sample.clear();
    for (std::size_t k = 0; k < requests.size(); ++k) {
      sample.insert(sample.end(), static_cast<std::size_t>(drawn[k]), requests[k]);
    }
    if (const auto figures = figures_of(quality_curve(sample))) areas.push_back(figures->apgr);
  }
  return {.value = value,
          .low = percentile(areas, 2.5).value_or(value),
          .high = percentile(areas, 97.5).value_or(value)};
}

enum class Interval : std::uint8_t { none, bootstrap };

Result<RouteFigures> figures_by(std::vector<Replay> requests, const std::vector<double>& scores,
                                Interval interval) {
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].score = scores[i];
  const auto figures = figures_of(quality_curve(requests));
  if (!figures) {
    return fail(Errc::bad_request,
                "large is not better than small on this data: there is no gap "
                "that a router could recover");
  }
  return RouteFigures{.figures = *figures,
                      .apgr = interval == Interval::none
                                  ? Estimate{figures->apgr, figures->apgr, figures->apgr}
                                  : apgr_interval(std::move(requests), figures->apgr)};
}

std::vector<double> decision_times_us(const ExampleRouter& router,
                                      const std::vector<Example>& examples) {
  std::vector<double> times;
  for (std::size_t i = 0; i < std::min(kTimedDecisions, examples.size()); ++i) {
    const auto start = std::chrono::steady_clock::now();
    volatile double need = router.need(examples[i]).value_or(0);
    (void)need;
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  return times;
}

struct Scores {
  std::vector<double> scores = {};  // by example; larger: surer that small suffices
  std::vector<double> apgr_by_fold = {};
  std::vector<double> times_us = {};  // of some decisions
};

Result<Scores> score_out_of_fold(const RouteData& data, const std::vector<int>& parts,
                                 const std::vector<Replay>& replays,
                                 const RouteEvaluationOptions& options) {
  Scores result{.scores = std::vector<double>(data.examples.size())};
  for (int fold = 0; fold < options.folds; ++fold) {
    std::vector<Example> training, test;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      (parts[i] == fold ? test : training).push_back(data.examples[i]);
      if (parts[i] == fold) places.push_back(i);
    }
    mechanisms::TrainingOptions one = options.training;
    if (options.training.progress) {
      one.progress = [&](double done) { options.training.progress((fold + done) / options.folds); };
    }
    const auto router = trained(training, one);
    if (!router) return std::unexpected(router.error());
    std::vector<Replay> judged;
    for (std::size_t i = 0; i < test.size(); ++i) {
      const std::size_t place = places[i];
      const auto need = router->need(test[i]);
      if (!need) return std::unexpected(need.error());
      result.scores[place] = 1 - *need;
      judged.push_back(replays[place]);
      judged.back().score = result.scores[place];
    }
    if (const auto figures = figures_of(quality_curve(judged))) {
      result.apgr_by_fold.push_back(figures->apgr);
    }
    if (fold == 0) result.times_us = decision_times_us(*router, test);
  }
  return result;
}

std::vector<Replay> replays_of(const RouteData& data) {
  std::vector<Replay> replays;
  for (const Example& example : data.examples) {
    replays.push_back({.small_right = example.small_right, .large_right = example.large_right});
  }
  return replays;
}

Result<RouteEvaluation> evaluation_of(const RouteData& data, Scores scored) {
  const auto replays = replays_of(data);
  std::vector<double> by_length, by_oracle;
  for (const Example& example : data.examples) {
    by_length.push_back(-static_cast<double>(base::count_characters(example.prompt)));
    by_oracle.push_back(oracle_score(example.small_right, example.large_right));
  }
  const auto random =
      figures_by(replays, std::vector<double>(replays.size()), Interval::none);  // the diagonal
  if (!random) return std::unexpected(random.error());
  const auto curve = quality_curve(replays);
  return RouteEvaluation{
      .examples = replays.size(),
      .small_quality = curve.front().quality,
      .large_quality = curve.back().quality,
      .router = *figures_by(replays, scored.scores, Interval::bootstrap),
      .apgr_by_fold = std::move(scored.apgr_by_fold),
      .length = *figures_by(replays, by_length, Interval::bootstrap),
      .random = *random,
      .oracle = *figures_by(replays, by_oracle, Interval::none),
      .decision_us = percentile(scored.times_us, 50).value_or(0),
      .decision_p95_us = percentile(scored.times_us, 95).value_or(0),
  };
}

boost::json::object to_json(const RouteFigures& figures) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? boost::json::value(*value) : boost::json::value(nullptr);
  };
  return {{"apgr", figures.figures.apgr},
          {"apgr_low", figures.apgr.low},
          {"apgr_high", figures.apgr.high},
          {"cpt50", or_null(figures.figures.cpt50)},
          {"cpt80", or_null(figures.figures.cpt80)}};
}

}  // namespace

Result<RouteEvaluation> evaluate_router(const RouteData& data,
                                        const RouteEvaluationOptions& options) {
  Result<std::vector<int>> parts =
      options.split == SplitBy::subject
          ? folds_by_subject(data, options.folds, options.training.seed)
          : folds_by_prompt(data, options.folds, options.training.seed);
  if (!parts) return std::unexpected(parts.error());
  const auto replays = replays_of(data);
  // The gap first: training takes long.
  if (auto gap = figures_by(replays, std::vector<double>(replays.size()), Interval::none); !gap) {
    return std::unexpected(gap.error());
  }
  auto scored = score_out_of_fold(data, *parts, replays, options);
  if (!scored) return std::unexpected(scored.error());
  return evaluation_of(data, std::move(*scored));
}

Result<RouteEvaluation> evaluate_trained(const RouteData& data,
                                         const mechanisms::RouterFile& file) {
  if (auto good = check_unseen(data, file); !good) return std::unexpected(good.error());
  const auto router = ExampleRouter::open(file);
  if (!router) return std::unexpected(router.error());
  Scores scores{.times_us = decision_times_us(*router, data.examples)};
  for (const Example& example : data.examples) {
    const auto need = router->need(example);
    if (!need) return std::unexpected(need.error());
    scores.scores.push_back(1 - *need);
  }
  return evaluation_of(data, std::move(scores));
}

boost::json::object to_json(const RouteEvaluation& evaluation) {
  boost::json::object json = to_json(evaluation.router);
  json["apgr_by_fold"] =
      boost::json::array(evaluation.apgr_by_fold.begin(), evaluation.apgr_by_fold.end());
  json["floors"] = boost::json::object{{"random", to_json(evaluation.random)},
                                       {"length", to_json(evaluation.length)},
                                       {"oracle", to_json(evaluation.oracle)}};
  json["examples"] = evaluation.examples;
  json["small"] = evaluation.small_quality;
  json["large"] = evaluation.large_quality;
  json["decision_us"] = evaluation.decision_us;
  json["decision_p95_us"] = evaluation.decision_p95_us;
  return json;
}

Result<RiskEvaluation> evaluate_risk(const RouteData& data, const RiskEvaluationOptions& options) {
  constexpr int kHalves = 2;
  const auto parts = folds_by_prompt(data, kHalves, options.training.seed);
  std::vector<Example> training, pool;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    (parts[i] == 0 ? training : pool).push_back(data.examples[i]);
  }
  if (pool.empty()) return fail(Errc::bad_request, "there is too little data to calibrate on");
  const auto file = mechanisms::train_router(training, options.training);
  if (!file) return std::unexpected(file.error());
  const auto router = ExampleRouter::open(*file);
  if (!router) return std::unexpected(router.error());

  std::vector<mechanisms::Scored> scored;
  for (const Example& example : pool) {
    const auto need = router->need(example);
    if (!need) return std::unexpected(need.error());
    scored.push_back({.need = *need, .lost = example.large_right && !example.small_right});
  }
  RiskEvaluation result{.pool = pool.size(),
                        .calibration = options.calibration > 0 ? options.calibration : pool.size(),
                        .resamples = options.resamples};
  tasks::Random random(tasks::mixed(kSeed, options.training.seed));
  std::vector<mechanisms::Scored> sample(result.calibration);
  for (int i = 0; i < options.resamples; ++i) {
    if (options.training.stop.stop_requested()) return fail(Errc::cancelled, "interrupted");
    for (auto& drawn : sample) drawn = random.pick(scored);
    const auto choice = mechanisms::choose_threshold(
        mechanisms::calibrate(sample, file->thresholds), options.target);
    std::size_t losses = 0, by_large = 0, right = 0;
    for (std::size_t k = 0; k < pool.size(); ++k) {
      const bool to_small = choice && scored[k].need < choice->threshold;
      losses += to_small && scored[k].lost;
      by_large += !to_small;
      right += to_small ? pool[k].small_right : pool[k].large_right;
    }
    const auto n = static_cast<double>(pool.size());
    const double risk = static_cast<double>(losses) / n;
    result.violations += risk > options.target.alpha;
    result.refused += !choice;
    result.mean_risk += risk / options.resamples;
    result.mean_large_share += static_cast<double>(by_large) / n / options.resamples;
    result.mean_quality += static_cast<double>(right) / n / options.resamples;
  }
  return result;
}

boost::json::object to_json(const RiskEvaluation& evaluation) {
  return {{"violation_rate", evaluation.violation_rate()},
          {"violations", evaluation.violations},
          {"resamples", evaluation.resamples},
          {"refused", evaluation.refused},
          {"pool", evaluation.pool},
          {"calibration", evaluation.calibration},
          {"mean_risk", evaluation.mean_risk},
          {"mean_large_share", evaluation.mean_large_share},
          {"mean_quality", evaluation.mean_quality}};
}

}  // namespace lichen::eval
