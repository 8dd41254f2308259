// lichen bench faults: what clients see, and the ledger records, when an endpoint goes wrong.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/bench_commands.h"
#include "cli/home.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "eval/faults.h"

namespace lichen::cli {
namespace {

namespace json = boost::json;
using eval::FaultOutcome;
using eval::FaultVerdict;

struct FaultsOptions {
  std::string local = "small";
  std::string json = {};
};

/// The configuration with nothing but that model.
Result<policy::Config> config_of(const std::string& model, const Invocation& invocation) {
  const auto file = invocation.config.empty() ? bundled_config()
                                              : Result<std::filesystem::path>(invocation.config);
  if (!file) return std::unexpected(file.error());
  auto config = load_chosen_config(*file);
  if (!config) return config;
  std::erase_if(config->models, [&](const auto& each) { return each.name != model; });
  if (config->models.empty() ||
      !std::holds_alternative<model::LocalModelOptions>(config->models.front().options)) {
    return fail(Errc::bad_config,
                fmt::format("--local: {} has no local model `{}`", file->string(), model));
  }
  config->plans.clear();
  config->serve.plan.clear();
  config->ledger = {.path = "none"};
  return config;
}

std::string styled(FaultVerdict verdict, const Terminal& out) {
  const auto style = verdict == FaultVerdict::pass   ? Style::green
                     : verdict == FaultVerdict::fail ? Style::red
                                                     : Style::bold;
  return out.styled(std::string(to_string(verdict)), style);
}

void print(const std::vector<FaultOutcome>& outcomes) {
  using enum Table::Align;
  const auto out = Terminal::of(stdout);
  Table table({{"fault", left}, {"verdict", left}, {"seconds"}, {"what is not so", left}});
  for (const FaultOutcome& outcome : outcomes) {
    std::string wrong;
    for (const auto& check : outcome.checks) {
      if (!check.ok) wrong += (wrong.empty() ? "" : "; ") + check.what;
    }
    table.row({outcome.title, styled(outcome.verdict, out), fmt::format("{:.2f}", outcome.seconds),
               wrong.empty() ? "" : out.harmless(wrong)});
  }
  out.write(table.text(out));
}

int bench_faults(const FaultsOptions& options, const Invocation& invocation) {
  auto config = config_of(options.local, invocation);
  if (!config) return report_error(config.error());
  auto host = Host::open(*std::move(config));
  if (!host) return report_error(host.error());
  const auto local = (*host)->runtime().find_model(options.local);
  if (!local) return report_error(local.error());
  ProgressBar bar(Terminal::of(stderr));
  const auto progress = [&bar](std::string_view title, std::size_t done, std::size_t total) {
    bar.update(static_cast<double>(done) / static_cast<double>(total), title);
  };
  const auto outcomes =
      eval::run_faults({.local = *local, .progress = progress}, (*host)->io().get_executor());
  bar.clear();
  if (!outcomes) return report_error(outcomes.error());
  if (options.json != "-") print(*outcomes);
  if (!options.json.empty()) {
    json::array scenarios;
    for (const FaultOutcome& outcome : *outcomes) scenarios.push_back(to_json(outcome));
    const auto written = write_output(
        options.json, json::serialize(json::object{{"command", invocation.command_line},
                                                   {"scenarios", std::move(scenarios)}}));
    if (!written) return report_error(written.error());
  }
  const auto failed = std::ranges::find(*outcomes, FaultVerdict::fail, &FaultOutcome::verdict);
  return failed == outcomes->end() ? kOk : kFailed;
}

}  // namespace

void add_bench_faults(CLI::App& bench, Invocation& invocation) {
  auto options = std::make_shared<FaultsOptions>();
  auto* command =
      bench.add_subcommand("faults", "What comes of an endpoint's faults: sixteen scenarios");
  command
      ->add_option("--local", options->local,
                   "Local model that answers where the scenario's endpoints cannot")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--json", options->json, "Write the outcomes to a file, - for stdout")
      ->type_name("FILE");
  command->footer(
      "Endpoints on loopback go wrong as scripted; a plan `fallback: [cloud, small]` answers over\n"
      "them. The verdict follows from checks on what the client saw, what the ledger holds, and "
      "how\n"
      "long it took: pass; partial (served, but not accounted for to the last token); safe (not\n"
      "served, and the error says so); fail. Exit status 1 if any fails. docs/reliability.md\n"
      "describes the scenarios.\n"
      "\n"
      "Examples:\n"
      "  lichen bench faults\n"
      "  lichen bench faults --json faults.json");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return bench_faults(*options, invocation); };
  });
}

}  // namespace lichen::cli
