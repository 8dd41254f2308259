// lichen route collect: what small and large make of a suite's prompts, as data for routers.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <map>
#include <memory>

#include "cli/evaluation.h"
#include "cli/route_commands.h"
#include "cli/terminal.h"
#include "eval/fingerprint.h"
#include "eval/route_data.h"
#include "mechanisms/routing/prefill_features.h"
#include "model/local_model.h"

namespace lichen::cli {
namespace {

struct CollectOptions {
  std::string small;
  std::string large;
  std::string output;
  EvaluationOptions evaluation = {.suite = "train", .concurrency = 8};
};

using LocalModelPtr = std::shared_ptr<model::LocalModel>;

void say(const std::string& words) {
  const auto err = Terminal::of(stderr);
  err.write(err.harmless(words) + "\n");
}

/// Null where that is a plan or a remote model.
LocalModelPtr local_model(const Runtime& runtime, const std::string& name) {
  const auto model = runtime.find_model(name);
  return model ? std::dynamic_pointer_cast<model::LocalModel>(*model) : nullptr;
}

Result<std::string> hash_of(const LocalModelPtr& model) {
  return model == nullptr ? Result<std::string>("") : model->file_hash();
}

/// A line for each task that both have answered, right or wrong.
eval::RouteData paired(const eval::Suite& suite, const CollectOptions& options,
                       const std::vector<eval::Outcome>& outcomes) {
  std::map<std::size_t, const eval::Outcome*> by_small;
  eval::RouteData data;
  for (const auto& outcome : outcomes) {
    if (outcome.plan == options.small && !outcome.failed()) by_small[outcome.task] = &outcome;
  }
  for (const auto& outcome : outcomes) {
    if (outcome.plan != options.large || outcome.failed()) continue;
    const auto small = by_small.find(outcome.task);
    if (small == by_small.end()) continue;
    data.examples.push_back({.prompt = suite.tasks[outcome.task].prompt,
                             .small_right = small->second->right,
                             .large_right = outcome.right,
                             .features = small->second->features});
    data.subjects.push_back(suite.tasks[outcome.task].family);
  }
  return data;
}

/// Beside the output, so that it is found again and not mistaken for that of an `eval`.
Result<eval::Journal> open_journal(const CollectOptions& options, const eval::Suite& suite,
                                   const policy::Config& config) {
  const eval::Baselines baselines{.large = {options.large}};
  const std::vector<std::string> plans{options.small, options.large};
  const eval::Setting setting{.suite = suite,
                              .config = config,
                              .baselines = baselines,
                              .plans = plans,
                              .judge = options.evaluation.judge,
                              .max_tokens = options.evaluation.max_tokens};
  return eval::Journal::open(
      options.output + ".journal",
      {.fingerprint = fmt::format("{}-{}", eval::fingerprint(setting), mechanisms::kPrefillSchema),
       .suite = suite.name,
       .plans = plans},
      options.evaluation.fresh);
}

Result<void> write_data(const std::string& file, const eval::RouteData& data) {
  std::ofstream stream(file, std::ios::binary);
  stream << eval::to_jsonl(data);
  stream.close();
  if (stream) return {};
  return fail(Errc::storage, file + ": cannot be written");
}

void say_result(const CollectOptions& options, const eval::RouteData& data, std::size_t asked) {
  std::size_t small = 0, large = 0, only_large = 0;
  for (const auto& example : data.examples) {
    small += example.small_right;
    large += example.large_right;
    only_large += example.large_right && !example.small_right;
  }
  const auto n = static_cast<double>(data.examples.size());
  say(
      fmt::format("written: {} ({} prompts; {} is right on {:.1f} %, {} on {:.1f} %, alone right "
                  "on {:.1f} %)",
                  options.output, data.examples.size(), options.small,
                  100 * static_cast<double>(small) / n, options.large,
                  100 * static_cast<double>(large) / n, 100 * static_cast<double>(only_large) / n));
  if (asked > data.examples.size()) {
    say(fmt::format("{} prompts are left out, since a request of theirs failed",
                    asked - data.examples.size()));
  }
}

int collect(const CollectOptions& options, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  const auto suite = load_suite(options.evaluation);
  if (!suite) return report_error(suite.error());
  auto host = Host::open(eval::for_measuring(std::move(*config)));
  if (!host) return report_error(host.error());
  const Runtime& runtime = (*host)->runtime();
  const auto small = local_model(runtime, options.small);

  eval::MeasureOptions measuring{.plans = {options.small, options.large},
                                 .large = {options.large},
                                 .judge = options.evaluation.judge,
                                 .concurrency = options.evaluation.concurrency,
                                 .max_tokens = options.evaluation.max_tokens};
  if (small != nullptr) {
    measuring.observer =
        eval::Observer{.plan = options.small, .read = [&small](Request request, Turn& turn) {
                         return mechanisms::read_prefill_features(small, std::move(request), turn);
                       }};
  } else {
    say(fmt::format("`{}` is no local model, so there will be no features for `prefill`",
                    options.small));
  }
  if (auto good = eval::check_options(runtime, *suite, measuring); !good) {
    return report_error(good.error());
  }
  const auto small_hash = hash_of(small);
  if (!small_hash) return report_error(small_hash.error());
  const auto large_hash = hash_of(local_model(runtime, options.large));
  if (!large_hash) return report_error(large_hash.error());
  auto journal = open_journal(options, *suite, runtime.config());
  if (!journal) return report_error(journal.error());
  measuring.journal = &*journal;
  const auto outcomes = measured(**host, *suite, std::move(measuring));
  if (!outcomes) return report_error(outcomes.error());

  auto data = paired(*suite, options, *outcomes);
  if (data.examples.empty()) {
    return report_error({Errc::upstream, "no prompt was answered by both models"});
  }
  data.small_hash = *small_hash;
  data.large_hash = *large_hash;
  if (small != nullptr) data.features_schema = mechanisms::kPrefillSchema;
  if (auto written = write_data(options.output, data); !written) {
    return report_error(written.error());
  }
  if (auto removed = journal->remove(); !removed) return report_error(removed.error());
  say_result(options, data, suite->tasks.size());
  return kOk;
}

}  // namespace

void add_route_collect(CLI::App& route, Invocation& invocation) {
  auto options = std::make_shared<CollectOptions>();
  auto& evaluation = options->evaluation;
  auto* command =
      route.add_subcommand("collect", "Ask small and large alone, and keep who was right");
  command->add_option("--small", options->small, "Model of the configuration")
      ->type_name("NAME")
      ->required();
  command->add_option("--large", options->large, "Model or plan of the configuration")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("--suite", evaluation.suite,
                   "train, calibration or test: generated; else a JSONL file of prompts with "
                   "checkable answers")
      ->type_name("SUITE")
      ->capture_default_str();
  command
      ->add_option("--limit", evaluation.limit,
                   "At most so many tasks; 500 of a generated suite, all of a file")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""));
  command->add_option("--seed", evaluation.seed, "Another seed generates other tasks")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--judge", evaluation.judge,
                   "Plan or model that decides tasks with the check judge")
      ->type_name("NAME");
  command->add_option("--max-tokens", evaluation.max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  command->add_option("--concurrency", evaluation.concurrency, "Requests at once")
      ->type_name("N")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str();
  command->add_flag("--fresh", evaluation.fresh, "Start over, whatever the journal holds");
  command->add_option("-o,--output", options->output, "The outcomes, JSONL")
      ->type_name("FILE")
      ->required();
  command->footer(
      "Answers are written down in FILE.journal meanwhile: the same command goes on from there\n"
      "after an interruption.\n"
      "\n"
      "Examples:\n"
      "  lichen route collect --small small --large large --limit 4000 -o train.jsonl\n"
      "  lichen route collect --small small --large large --suite mine.jsonl -o "
      "mine.outcomes.jsonl");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return collect(*options, invocation); };
  });
}

}  // namespace lichen::cli
