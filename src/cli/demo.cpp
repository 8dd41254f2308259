// lichen demo: small alone, large alone and both together on one suite.
#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <stop_token>

#include "cli/command.h"
#include "cli/demo_view.h"
#include "cli/home.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "eval/measure.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kQuick = 40;

struct DemoOptions {
  bool quick = false;
  std::string json;
  std::vector<std::string> plans = {"small", "large", "cascade", "route"};
  std::vector<std::string> large;
  std::filesystem::path suite;
  int concurrency = 1;
};

Result<eval::Suite> load_suite(const DemoOptions& options) {
  auto file = options.suite;
  if (file.empty()) {
    const auto home = find_home();
    if (!home) return std::unexpected(home.error());
    file = *home / "models/demo.jsonl";
  }
  auto suite = eval::load_suite(file);
  if (suite && options.quick) return eval::first_tasks(std::move(*suite), kQuick);
  return suite;
}

/// Without --config the bundled pair is measured, whatever lies in the working directory.
Result<policy::Config> load_config(const std::filesystem::path& chosen) {
  const auto file = chosen.empty() ? bundled_config() : Result<std::filesystem::path>(chosen);
  if (!file) return std::unexpected(file.error());
  return load_chosen_config(*file);
}

Result<std::set<std::string>> choose_large(const DemoOptions& options, const Runtime& runtime) {
  if (options.large.empty()) return eval::large_models(runtime.config());
  for (const auto& name : options.large) {
    if (auto model = runtime.find_model(name); !model) return std::unexpected(model.error());
  }
  return std::set(options.large.begin(), options.large.end());
}

int demo(const DemoOptions& options, const Invocation& invocation) {
  const auto suite = load_suite(options);
  if (!suite) return report_error(suite.error());
  auto config = load_config(invocation.config);
  if (!config) return report_error(config.error());
  auto host = Host::open(eval::for_measuring(std::move(*config)));
  if (!host) return report_error(host.error());
  Runtime& runtime = (*host)->runtime();
  const auto large = choose_large(options, runtime);
  if (!large) return report_error(large.error());

  std::stop_source stop;
  const CancelOnSignal watch((*host)->io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  const auto progress = [&](std::string_view plan, std::size_t done, std::size_t total) {
    bar.update(static_cast<double>(done) / static_cast<double>(total), plan);
  };
  const auto report = eval::measure(runtime, (*host)->io().get_executor(), *suite,
                                    {.plans = options.plans,
                                     .large = *large,
                                     .concurrency = options.concurrency,
                                     .progress = progress,
                                     .stop = stop.get_token()});
  bar.clear();
  if (!report) return report_error(report.error());

  if (options.json != "-") {
    std::set<std::string> models;
    for (const auto& model : runtime.models()) models.insert(model->name());
    const auto out = Terminal::of(stdout);
    out.write(report_table(*report, out) + report_in_words(*report, models, *large) + "\n");
  }
  if (!options.json.empty()) {
    const auto written = write_json(options.json, boost::json::serialize(to_json(*report)));
    if (!written) return report_error(written.error());
  }
  if (const auto failed = failure_of(*report)) return report_error(*failed);
  return kOk;
}

}  // namespace

void add_demo(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<DemoOptions>();
  auto* command = app.add_subcommand("demo", "Measure small alone, large alone and both together");
  command->add_flag("--quick", options->quick, "Only the suite's first 40 prompts");
  command->add_option("--plans", options->plans, "Plans and models to measure, separated by commas")
      ->type_name("NAMES")
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--large", options->large,
                   "Models that count as large; without it the one named large, else the dearest "
                   "or largest")
      ->type_name("NAMES")
      ->delimiter(',');
  command
      ->add_option("--suite", options->suite,
                   "JSONL file of prompts with checkable answers; without it the bundled one")
      ->type_name("FILE");
  command
      ->add_option("--concurrency", options->concurrency,
                   "Requests at once; latencies are clean at 1")
      ->type_name("N")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str();
  command->add_option("--json", options->json, "Also write the table as JSON; - is stdout")
      ->type_name("FILE");
  command->footer(
      "Runs on the bundled pair unless --config names another configuration. A request that fails\n"
      "counts as wrong. Nothing is written to the ledger.\n"
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
