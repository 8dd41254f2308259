// lichen demo: small alone, large alone and both together on the generated suite.
#include <CLI/CLI.hpp>

#include "cli/evaluation.h"
#include "cli/home.h"
#include "cli/host.h"
#include "eval/tasks/sample.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kTasks = 240;  // of a generated suite
constexpr std::size_t kQuickOfFile = 40;

int demo(EvaluationOptions options, const Invocation& invocation) {
  // Without --config the bundled pair is measured, whatever lies in the working directory.
  const auto file = invocation.config.empty() ? bundled_config()
                                              : Result<std::filesystem::path>(invocation.config);
  if (!file) return report_error(file.error());
  auto config = load_chosen_config(*file);
  if (!config) return report_error(config.error());
  const bool generated = eval::tasks::split_named(options.suite).has_value();
  if (generated && !options.quick) options.limit = kTasks;
  if (!generated && options.quick) options.limit = kQuickOfFile;
  if (options.html == "none") options.html.clear();
  return evaluate(options, invocation, std::move(*config));
}

}  // namespace

void add_demo(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<EvaluationOptions>();
  options->plans = {"small", "large", "cascade", "route", "handover"};
  options->html = "lichen-demo.html";
  auto* command = app.add_subcommand("demo", "Measure small alone, large alone and both together");
  command->add_flag("--quick", options->quick,
                    "One task of each family instead of 240 tasks; of a file the first 40");
  add_evaluation_options(*command, *options);
  command
      ->add_option("--html", options->html, "Where the report with plots is written; none: nowhere")
      ->type_name("FILE")
      ->capture_default_str();
  command->footer(
      "Runs on the bundled pair unless --config names another configuration. A request that fails\n"
      "counts as wrong. Nothing is written to the ledger. `lichen eval` has more options.\n"
      "\n"
      "Examples:\n"
      "  lichen demo\n"
      "  lichen demo --quick --json -\n"
      "  lichen demo --config lichen.yaml --suite mine.jsonl --plans default,cloud");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return demo(*options, invocation); };
  });
}

}  // namespace lichen::cli
