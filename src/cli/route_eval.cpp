// lichen route eval: how good a kind of router is, or a trained one.
#include <spdlog/fmt/fmt.h>

#include "cli/route_commands.h"
#include "cli/route_options.h"
#include "cli/table.h"
#include "eval/route_evaluation.h"

namespace lichen::cli {
namespace {

std::string evaluation_table(const eval::RouteEvaluation& evaluation, const std::string& router,
                             const Terminal& terminal) {
  Table table({{"router", Table::Align::left}, {"APGR"}, {"95 % interval"}, {"CPT50"}, {"CPT80"}});
  const auto share = [](const std::optional<double>& value) {
    return value ? format_percent(*value) : std::string("-");
  };
  const auto add = [&](const std::string& name, const eval::RouteFigures& figures) {
    const auto& [value, low, high] = figures.apgr;
    table.row({name, fmt::format("{:.3f}", value),
               low == high ? "" : fmt::format("{:.3f} - {:.3f}", low, high),
               share(figures.figures.cpt50), share(figures.figures.cpt80)});
  };
  add(terminal.styled(router, Style::bold), evaluation.router);
  add("length", evaluation.length);
  add("random", evaluation.random);
  add("oracle", evaluation.oracle);
  return table.text(terminal) +
         fmt::format(
             "\n{} prompts; small alone is right on {}, large alone on {}; a decision takes "
             "{:.0f} us (p95 {:.0f} us)\n",
             format_count(static_cast<std::int64_t>(evaluation.examples)),
             format_percent(evaluation.small_quality), format_percent(evaluation.large_quality),
             evaluation.decision_us, evaluation.decision_p95_us);
}

int evaluate(const RouteOptions& options) {
  std::optional<mechanisms::RouterFile> trained;
  if (!mechanisms::router_kind(options.router)) {
    auto file = mechanisms::load_router_file(options.router);
    if (!file) return report_error(file.error());
    trained = *std::move(file);
  }
  const auto data = load_data(options, trained ? &*trained : nullptr);
  if (!data) return report_error(data.error());
  say_duplicates(*data);
  const auto evaluation = [&]() -> Result<eval::RouteEvaluation> {
    if (trained) return eval::evaluate_trained(*data, *trained);
    LongWork work(options.router);
    return eval::evaluate_router(
        *data,
        {.training = work.training(options, data->embedder_hash),
         .folds = options.folds,
         .split = options.split == "subject" ? eval::SplitBy::subject : eval::SplitBy::prompt});
  }();
  if (!evaluation) return report_error(evaluation.error());
  auto json = to_json(*evaluation);
  json["router"] = options.router;
  json["folds"] = options.folds;
  json["split"] = options.split;
  json["seed"] = options.seed;
  json["data_hash"] = data->hash;
  return finish(options, evaluation_table(*evaluation, options.router, Terminal::of(stdout)), json);
}

}  // namespace

void add_route_eval(CLI::App& route, Invocation& invocation) {
  add_route_command(
      route, invocation, "eval",
      "Judge a kind of router by cross-validation, or a trained one on data that it has not seen",
      "  lichen route eval --data outcomes.jsonl --router linear --folds 5 --json figures.json\n"
      "  lichen route eval --data outcomes.jsonl --folds 2 --split-by subject\n"
      "  lichen route eval --data other-outcomes.jsonl --router my.router",
      evaluate, [](RouteCommand command) {
        command.data("Outcomes, JSONL");
        command.app
            .add_option(
                "--router", command.options.router,
                "linear, knn, mf, ensemble or prefill, or the file of a trained router, which "
                "is not trained anew")
            ->type_name("ROUTER")
            ->capture_default_str();
        command.app
            .add_option("--folds", command.options.folds,
                        "Parts, each judged by a router of the others")
            ->type_name("N")
            ->check(CLI::Range(2, 100).description(""))
            ->capture_default_str();
        command.app
            .add_option("--split-by", command.options.split,
                        "prompt, or subject: whole subjects are new to the router")
            ->type_name("WHAT")
            ->check(CLI::IsMember({"prompt", "subject"}).description(""))
            ->capture_default_str();
        command.embedder();
        command.seed();
        command.json();
      });
}

}  // namespace lichen::cli
