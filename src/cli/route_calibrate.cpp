// lichen route calibrate: what a router, or a plan, would lose at each threshold.
#include <spdlog/fmt/fmt.h>

#include <boost/json/array.hpp>
#include <cmath>
#include <vector>

#include "cli/plan_calibration.h"
#include "cli/plan_subject.h"
#include "cli/route_commands.h"
#include "cli/route_options.h"
#include "cli/table.h"
#include "eval/route_evaluation.h"
#include "mechanisms/routing/example_router.h"

namespace lichen::cli {
namespace {

mechanisms::RiskTarget target_of(const RouteOptions& options) {
  return {.alpha = options.alpha, .delta = options.delta};
}

boost::json::object choice_json(const mechanisms::Calibration& calibration,
                                const mechanisms::RiskTarget& target,
                                const std::optional<mechanisms::RiskChoice>& choice) {
  boost::json::object json{{"n", calibration.n},
                           {"alpha", target.alpha},
                           {"delta", target.delta},
                           {"threshold", nullptr},
                           {"least_data", mechanisms::least_data(target)}};
  if (!choice) return json;
  json["threshold"] = choice->threshold;
  json["losses"] = choice->at.losses;
  json["by_small"] = choice->at.by_small;
  json["upper_bound"] = choice->upper_bound;
  return json;
}

std::string choice_text(const mechanisms::Calibration& calibration,
                        const mechanisms::RiskTarget& target,
                        const std::optional<mechanisms::RiskChoice>& choice) {
  if (!choice) {
    return fmt::format(
        "large answers everything: {} prompts show no threshold with a risk of at most {} at "
        "confidence {} (even without a loss it takes {})\n",
        calibration.n, target.alpha, 1 - target.delta, mechanisms::least_data(target));
  }
  const auto n = static_cast<double>(calibration.n);
  return fmt::format(
      "threshold {:.4f}: small answers {}; {} of {} prompts lost, so at confidence {} the risk is "
      "at most {}\n",
      choice->threshold, format_percent(static_cast<double>(choice->at.by_small) / n),
      choice->at.losses, calibration.n, 1 - target.delta, format_percent(choice->upper_bound));
}

int report_calibration(const RouteOptions& options, const mechanisms::Calibration& counts) {
  const mechanisms::RiskTarget target = target_of(options);
  const auto choice = mechanisms::choose_threshold(counts, target);
  return finish(options, choice_text(counts, target, choice), choice_json(counts, target, choice));
}

/// Of a handover: each threshold that was run.
int report_runs(const RouteOptions& options, const mechanisms::Calibration& counts) {
  const mechanisms::RiskTarget target = target_of(options);
  auto json = choice_json(counts, target, mechanisms::choose_threshold(counts, target));
  boost::json::array runs;
  Table table({{"threshold"}, {"lost"}, {"risk at most"}, {"tokens by large"}});
  for (const mechanisms::GridPoint& point : counts.grid) {
    const double bound = mechanisms::upper_bound(point.losses, counts.n, target.delta);
    const double threshold = std::abs(point.threshold);  // a margin's is turned
    table.row({fmt::format("{}", threshold), fmt::format("{} of {}", point.losses, counts.n),
               format_percent(bound),
               format_percent(1 - static_cast<double>(point.by_small) /
                                      static_cast<double>(point.tokens))});
    runs.push_back({{"threshold", threshold},
                    {"losses", point.losses},
                    {"upper_bound", bound},
                    {"tokens", point.tokens},
                    {"tokens_by_small", point.by_small}});
  }
  if (json.at("threshold").is_double())
    json["threshold"] = std::abs(json.at("threshold").get_double());
  json["runs"] = std::move(runs);
  return finish(options, table.text(Terminal::of(stdout)) + "\n" + describe(counts, target) + "\n",
                json);
}

/// Of a plan, by measuring it.
int calibrate_for_plan(const RouteOptions& options) {
  if (options.output.empty()) {
    return report_error({Errc::bad_request, "--plan needs -o FILE: where to write the counts"});
  }
  const auto config = load_chosen_config(options.invocation->config);
  if (!config) return report_error(config.error());
  const auto mechanism = choosing_key(*config, options.plan);
  if (!mechanism) return report_error(mechanism.error());
  const auto calibration =
      calibrate_plan(*config, options.plan, options.measuring, target_of(options), options.output);
  if (!calibration) return report_error(calibration.error());
  return *mechanism == "handover" ? report_runs(options, calibration->counts)
                                  : report_calibration(options, calibration->counts);
}

int calibrate(const RouteOptions& options) {
  if (!options.plan.empty()) return calibrate_for_plan(options);
  if (options.router.empty()) {
    return report_error({Errc::bad_request,
                         "name --plan and -o to calibrate a plan on a suite, or --router and "
                         "--data to calibrate a router on outcomes"});
  }
  auto file = mechanisms::load_router_file(options.router);
  if (!file) return report_error(file.error());
  const auto router = mechanisms::ExampleRouter::open(*file);
  if (!router) {
    return report_error({router.error().code, options.router + ": " + router.error().detail});
  }
  const auto data = load_data(options, &*file);
  if (!data) return report_error(data.error());
  if (auto good = eval::check_unseen(*data, *file); !good) {
    return report_error({good.error().code, source_of(options) + ": " + good.error().detail});
  }
  std::vector<mechanisms::Scored> scored;
  for (const auto& example : data->examples) {
    const auto need = router->need(example);
    if (!need)
      return report_error({need.error().code, source_of(options) + ": " + need.error().detail});
    scored.push_back({.need = *need,
                      .lost = example.large_right && !example.small_right,
                      .unlike = !example.large_right || !example.small_right});
  }
  auto counts = mechanisms::calibrate(scored, file->thresholds);
  counts.data_hash = data->hash;
  file->calibration = counts;
  if (auto saved = mechanisms::save_router_file(*file, options.router); !saved) {
    return report_error(saved.error());
  }
  return report_calibration(options, counts);
}

}  // namespace

void add_route_calibrate(CLI::App& route, Invocation& invocation) {
  add_route_command(
      route, invocation, "calibrate",
      "Count the losses of a router, or of a plan, on data of its own, for a bound on the risk",
      "  lichen route calibrate --router my.router --data more.jsonl --alpha 0.05 --delta 0.1\n"
      "  lichen route calibrate --config lichen.yaml --plan cascade -o cascade.calibration",
      calibrate, [](RouteCommand command) {
        command.options.router.clear();
        command.app
            .add_option("--router", command.options.router, "The router's file; gets the counts")
            ->type_name("FILE");
        command.data("Outcomes that the router was not trained on, JSONL");
        command.embedder();
        command.plan(
            "A plan that chooses between small and large by a score, or a handover, which is run "
            "with one threshold after the other");
        command.app
            .add_option("-o,--output", command.options.output, "The plan's calibration file")
            ->type_name("FILE");
        command.suite();
        command.target();
        command.json();
      });
}

}  // namespace lichen::cli
