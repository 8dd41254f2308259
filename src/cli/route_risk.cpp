// lichen route risk: how often a stated risk is broken.
#include <spdlog/fmt/fmt.h>

#include "cli/route_commands.h"
#include "cli/route_options.h"
#include "cli/table.h"
#include "eval/route_evaluation.h"

namespace lichen::cli {
namespace {

int risk(const RouteOptions& options) {
  const auto data = load_data(options, nullptr);
  if (!data) return report_error(data.error());
  say_duplicates(*data);
  const auto evaluation = [&] {
    LongWork work(options.router);
    return eval::evaluate_risk(*data, {.training = work.training(options, data->embedder_hash),
                                       .target = {.alpha = options.alpha, .delta = options.delta},
                                       .resamples = options.resamples,
                                       .calibration = options.calibration});
  }();
  if (!evaluation) return report_error(evaluation.error());
  auto json = to_json(*evaluation);
  json["router"] = options.router;
  json["alpha"] = options.alpha;
  json["delta"] = options.delta;
  json["seed"] = options.seed;
  Table table({{"alpha"},
               {"delta"},
               {"violations"},
               {"mean risk"},
               {"to large"},
               {"right"},
               {"all to large"}});
  table.row({format_percent(options.alpha), format_percent(options.delta),
             format_percent(evaluation->violation_rate()), format_percent(evaluation->mean_risk),
             format_percent(evaluation->mean_large_share), format_percent(evaluation->mean_quality),
             fmt::format("{} of {}", evaluation->refused, evaluation->resamples)});
  return finish(options, table.text(Terminal::of(stdout)), json);
}

}  // namespace

void add_route_risk(CLI::App& route, Invocation& invocation) {
  add_route_command(
      route, invocation, "risk", "How often a stated risk is broken, over many calibrations",
      "  lichen route risk --data outcomes.jsonl --alpha 0.05 --delta 0.1 --resamples 300", risk,
      [](RouteCommand command) {
        command.data("Outcomes, JSONL: half to train on, half to calibrate on");
        command.kind();
        command.embedder();
        command.target();
        command.app.add_option("--resamples", command.options.resamples, "Calibrations")
            ->type_name("N")
            ->check(CLI::Range(1, 100'000).description(""))
            ->capture_default_str();
        command.app
            .add_option("--calibration", command.options.calibration,
                        "Prompts of each calibration; without it as many as that half has")
            ->type_name("N")
            ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}).description(""));
        command.seed();
        command.json();
      });
}

}  // namespace lichen::cli
