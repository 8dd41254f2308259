// lichen bench: how fast mechanisms are that change no answer.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "cli/bench_commands.h"
#include "cli/evaluation.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "eval/baselines.h"
#include "eval/speed.h"

namespace lichen::cli {
namespace {

namespace json = boost::json;

struct BenchOptions {
  EvaluationOptions suite = {.suite = "test", .limit = 60};
  std::string target = "large";
  std::vector<std::string> plans = {};
  std::vector<int> requests = {1, 8};
  std::vector<double> temperatures = {0, 0.8};
  std::string json = {};
  bool texts = false;
};

/// Plans of the configuration that are a `speculate`.
std::vector<std::string> speculating(const policy::Config& config) {
  std::vector<std::string> names;
  for (const policy::PlanConfig& plan : config.plans) {
    const policy::YamlNode& node = plan.expression;
    if (node.is(policy::YamlNode::Kind::map) && node.items.size() == 1 &&
        node.items.front().key == "speculate") {
      names.push_back(plan.name);
    }
  }
  return names;
}

json::object to_json(const eval::SpeedCell& cell, bool texts) {
  const std::optional<double> share = cell.accepted_share();
  json::object object{
      {"requests", cell.requests},
      {"temperature", cell.temperature},
      {"drafter", cell.plan},
      {"ratio", cell.ratio},
      {"turn_ratio", cell.turn_ratio},
      {"tokens_per_second", cell.tokens_per_second},
      {"turn_tokens_per_second", cell.turn_tokens_per_second},
      {"tokens", cell.tokens},
      {"drafted", cell.drafted},
      {"accepted_share", share ? json::value(*share) : json::value(nullptr)},
      {"answers", cell.answers},
      {"same_answers", cell.temperature == 0 ? json::value(cell.same) : json::value(nullptr)}};
  if (texts) object["texts"] = json::value_from(cell.texts);
  return object;
}

void print(const std::vector<eval::SpeedCell>& cells) {
  using enum Table::Align;
  const auto out = Terminal::of(stdout);
  Table table({{"plan", left},
               {"temperature"},
               {"requests"},
               {"writing"},
               {"whole turn"},
               {"tokens/s"},
               {"guesses"},
               {"accepted"},
               {"same answers"}});
  for (const eval::SpeedCell& cell : cells) {
    const auto share = cell.accepted_share();
    table.row({cell.plan, fmt::format("{}", cell.temperature), format_count(cell.requests),
               fmt::format("{:.2f} x", cell.ratio), fmt::format("{:.2f} x", cell.turn_ratio),
               fmt::format("{:.0f}", cell.tokens_per_second), format_count(cell.drafted),
               share ? format_percent(*share) : "-",
               cell.temperature == 0 ? fmt::format("{} of {}", cell.same, cell.answers) : "-"});
  }
  out.write(table.text(out));
}

int bench_speculate(const BenchOptions& options, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  const auto suite = load_suite(options.suite);
  if (!suite) return report_error(suite.error());
  auto host = Host::open(eval::for_measuring(std::move(*config)));
  if (!host) return report_error(host.error());
  const Runtime& runtime = (*host)->runtime();
  eval::SpeedOptions measuring{.plain = options.target,
                               .plans = options.plans,
                               .requests = options.requests,
                               .temperatures = options.temperatures,
                               .max_tokens = options.suite.max_tokens};
  if (measuring.plans.empty()) measuring.plans = speculating(runtime.config());
  if (measuring.plans.empty()) {
    return report_error({Errc::bad_config,
                         "no plan of the configuration is a `speculate`; "
                         "examples/speculate.yaml has some"});
  }
  std::vector<std::string> named = measuring.plans;
  named.push_back(measuring.plain);
  for (const std::string& name : named) {
    if (const auto found = runtime.find(name); !found) return report_error(found.error());
  }
  std::stop_source stop;
  const CancelOnSignal watch((*host)->io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  measuring.stop = stop.get_token();
  measuring.progress = [&](std::string_view plan, std::size_t done, std::size_t total) {
    bar.update(static_cast<double>(done) / static_cast<double>(total), plan);
  };
  const auto cells =
      eval::compare_speed((*host)->runtime(), (*host)->io().get_executor(), *suite, measuring);
  bar.clear();
  if (!cells) return report_error(cells.error());
  if (options.json != "-") print(*cells);
  if (options.json.empty()) return kOk;
  json::array list;
  for (const eval::SpeedCell& cell : *cells) list.push_back(to_json(cell, options.texts));
  const json::object report = {{"command", invocation.command_line},
                               {"suite", suite->name},
                               {"tasks", suite->tasks.size()},
                               {"target", options.target},
                               {"cells", std::move(list)}};
  const auto written = write_output(options.json, json::serialize(report));
  return written ? int{kOk} : report_error(written.error());
}

}  // namespace

void add_bench(CLI::App& app, Invocation& invocation) {
  auto* bench =
      app.add_subcommand("bench", "Measure how fast mechanisms are, and what they survive");
  bench->require_subcommand(1);
  add_bench_faults(*bench, invocation);
  auto options = std::make_shared<BenchOptions>();
  auto* command = bench->add_subcommand("speculate",
                                        "Speculating plans against plain decoding by their target");
  command->add_option("--target", options->target, "Plan or model that is compared with")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--plans", options->plans,
                   "Plans to measure, separated by commas; without it all `speculate` of the "
                   "configuration")
      ->type_name("NAMES")
      ->delimiter(',');
  command->add_option("--requests", options->requests, "How many at once, separated by commas")
      ->type_name("N")
      ->delimiter(',')
      ->check(CLI::Range(1, 1'000).description(""))
      ->capture_default_str();
  command->add_option("--temperatures", options->temperatures, "Separated by commas")
      ->type_name("T")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0).description(""))
      ->capture_default_str();
  command
      ->add_option("--suite", options->suite.suite,
                   "A split of the generated suite (train, calibration, test), or a JSONL file")
      ->type_name("SUITE")
      ->capture_default_str();
  command->add_option("--limit", options->suite.limit, "At most so many tasks")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}).description(""))
      ->default_str("60");
  command->add_option("--max-tokens", options->suite.max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  auto* json =
      command->add_option("--json", options->json, "Write the figures to a file, - for stdout")
          ->type_name("FILE");
  command->add_flag("--texts", options->texts, "Put what each plan answered into the JSON, too")
      ->needs(json);
  command->footer(
      "Each task is answered by both, right after each other and in turns which one first, so the\n"
      "ratio holds on a machine that is busy at times. `writing` is the speed after an answer's\n"
      "first token, `whole turn` that with the reading of the prompt. Prompts are not kept "
      "between\n"
      "requests.\n"
      "\n"
      "Examples:\n"
      "  lichen bench speculate --config examples/speculate.yaml\n"
      "  lichen bench speculate --plans both --requests 1 --temperatures 0 --json -");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return bench_speculate(*options, invocation); };
  });
}

}  // namespace lichen::cli
