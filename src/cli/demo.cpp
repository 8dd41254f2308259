// lichen demo: models alone and every mechanism on them, on the generated suite.
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
  // Without --config the bundled models are measured, whatever lies in the working directory.
  const bool bundled = invocation.config.empty();
  const auto file = bundled ? demo_config() : Result<std::filesystem::path>(invocation.config);
  if (!file) return report_error(file.error());
  auto config = load_chosen_config(*file);
  if (!config) return report_error(config.error());
  const bool generated = eval::tasks::split_named(options.suite).has_value();
  if (generated && !options.quick) options.limit = kTasks;
  if (!generated && options.quick) options.limit = kQuickOfFile;
  if (options.html == "none") options.html.clear();
  if (bundled && options.plans.empty()) {
    options.plans = {"small", "large", "other"};
    for (const auto& plan : config->plans) options.plans.push_back(plan.name);
  }
  return evaluate(options, invocation, std::move(*config));
}

}  // namespace

void add_demo(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<EvaluationOptions>();
  options->html = "lichen-demo.html";
  auto* command =
      app.add_subcommand("demo", "Measure models alone and what each mechanism makes of them");
  command->add_flag("--quick", options->quick,
                    "One task of each family instead of 240 tasks; of a file the first 40");
  add_evaluation_options(*command, *options);
  command
      ->add_option("--html", options->html, "Where the report with plots is written; none: nowhere")
      ->type_name("FILE")
      ->capture_default_str();
  command->footer(
      "Runs on the bundled models, with a plan of each mechanism by its name "
      "(examples/demo.yaml),\n"
      "unless --config names another configuration. Takes minutes. A request that fails counts as\n"
      "wrong. Nothing is written to the ledger. `lichen eval` has more options.\n"
      "\n"
      "Examples:\n"
      "  lichen demo\n"
      "  lichen demo --quick --json -\n"
      "  lichen demo --plans small,large,cascade,blend\n"
      "  lichen demo --config lichen.yaml --suite mine.jsonl --plans default,cloud");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return demo(*options, invocation); };
  });
}

}  // namespace lichen::cli
