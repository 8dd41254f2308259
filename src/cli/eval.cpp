// lichen eval: a suite over plans, measured.
#include <CLI/CLI.hpp>

#include "cli/evaluation.h"
#include "cli/host.h"

namespace lichen::cli {
namespace {

int eval_plans(const EvaluationOptions& options, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  return evaluate(options, invocation, std::move(*config));
}

}  // namespace

void add_eval(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<EvaluationOptions>();
  options->journaled = true;
  auto* command = app.add_subcommand(
      "eval", "Measure plans on a suite: quality, cost, latency, routers at every threshold");
  add_evaluation_options(*command, *options);
  command
      ->add_option("--limit", options->limit,
                   "At most so many tasks; 500 of a generated suite, all of a file")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""));
  command->add_option("--families", options->families, "Only tasks of these, separated by commas")
      ->type_name("NAMES")
      ->delimiter(',');
  command->add_option("--levels", options->levels, "Only tasks of these, separated by commas")
      ->type_name("LEVELS")
      ->delimiter(',')
      ->check(CLI::Range(0, 1'000).description(""));
  command->add_option("--max-tokens", options->max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  command->add_flag("--feedback", options->feedback,
                    "Tell each plan which of its answers were right, so that `auto` learns");
  command
      ->add_option("--judge", options->judge,
                   "Plan or model that decides tasks with the check judge")
      ->type_name("NAME");
  command->add_option("--html", options->html, "Write a report with plots, one file for a browser")
      ->type_name("FILE");
  command->add_option("--svg", options->svg, "Write the plot of quality against cost")
      ->type_name("FILE");
  command
      ->add_option("--journal", options->journal,
                   "Where finished requests are written down meanwhile; without it in the cache "
                   "folder")
      ->type_name("FILE");
  command->add_flag("--fresh", options->fresh, "Start over, whatever the journal holds");
  command->footer(
      "Without --plans all plans and models are measured. Beside a plan the small and the large\n"
      "model alone are measured, too: it is compared with them. Decoding is greedy, so the same\n"
      "suite gives the same quality. An interrupted measurement goes on where it was when the "
      "same\n"
      "command is given again. A request that fails counts as wrong, and makes the exit status 1.\n"
      "\n"
      "Examples:\n"
      "  lichen eval --limit 100 --html report.html\n"
      "  lichen eval --plans cascade,route --families table,story --levels 3,4\n"
      "  lichen eval --suite mine.jsonl --judge large --json -\n"
      "  lichen eval --config lichen.yaml --concurrency 8 --svg frontier.svg");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return eval_plans(*options, invocation); };
  });
}

}  // namespace lichen::cli
