#include "cli/evaluation.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <memory>
#include <stop_token>

#include "cli/origin.h"
#include "cli/progress.h"
#include "cli/report_view.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/fingerprint.h"
#include "eval/generated_suite.h"
#include "eval/report/frontier.h"
#include "eval/report/html.h"
#include "eval/report/words.h"

namespace lichen::cli {
namespace {

namespace tasks = eval::tasks;

constexpr std::size_t kGeneratedTasks = 500;

Result<eval::Suite> generated(const EvaluationOptions& options, tasks::Split split) {
  std::vector<const tasks::Family*> families;
  for (const auto& name : options.families) {
    families.push_back(tasks::find_family(name));
    if (families.back() == nullptr) {
      return fail(Errc::not_found, fmt::format("there is no family `{}`; `lichen suite --list` "
                                               "shows all",
                                               name));
    }
  }
  const auto cells =
      options.quick ? eval::one_cell_of_each_family() : tasks::cells_of(families, options.levels);
  if (cells.empty()) return fail(Errc::bad_request, "no family has such a level; they are 1 to 4");
  const auto count = options.limit.value_or(options.quick ? cells.size() : kGeneratedTasks);
  return eval::generated_suite({.split = split, .seed = options.seed}, cells, count);
}

/// The models and plans of a configuration, but for plans that are another name of one of them.
std::vector<std::string> all_plans(const policy::Config& config, const Runtime& runtime) {
  std::vector<std::string> names;
  for (const auto& model : runtime.models()) names.push_back(model->name());
  for (const auto& plan : config.plans) {
    if (!plan.expression.is(policy::YamlNode::Kind::scalar)) names.push_back(plan.name);
  }
  return names;
}

/// What is measured: the plans that were named, and beside a plan (not a model) the two models
/// alone that it is compared with.
std::vector<std::string> chosen_plans(const EvaluationOptions& options, const Runtime& runtime,
                                      const eval::Baselines& baselines) {
  auto plans = options.plans.empty() ? all_plans(runtime.config(), runtime) : options.plans;
  const auto is_model = [&](const std::string& name) {
    return runtime.find_model(name).has_value();
  };
  if (std::ranges::all_of(plans, is_model)) return plans;
  for (const auto& baseline : {baselines.large_alone, baselines.small_alone}) {
    if (baseline.empty() || std::ranges::find(plans, baseline) != plans.end()) continue;
    plans.insert(plans.begin(), baseline);
  }
  return plans;
}

Result<eval::Baselines> choose_baselines(const EvaluationOptions& options, const Runtime& runtime) {
  for (const auto& name : options.large) {
    if (auto model = runtime.find_model(name); !model) return std::unexpected(model.error());
  }
  return eval::baselines_of(runtime.config(), {options.large.begin(), options.large.end()});
}

/// The journal to use, or null.
Result<std::unique_ptr<eval::Journal>> open_journal(const EvaluationOptions& options,
                                                    const eval::Setting& setting) {
  // What a plan had learned is gone after an interruption, so such a measurement starts over.
  if (!options.journaled || options.feedback) return nullptr;
  const eval::Identity identity{.fingerprint = eval::fingerprint(setting),
                                .suite = setting.suite.name,
                                .plans = setting.plans};
  const auto file = options.journal.empty()
                        ? eval::journal_folder() / (identity.fingerprint + ".jsonl")
                        : options.journal;
  auto journal = eval::Journal::open(file, identity, options.fresh);
  if (!journal) return std::unexpected(journal.error());
  return std::make_unique<eval::Journal>(std::move(*journal));
}

void say(const std::string& words) {
  const auto err = Terminal::of(stderr);
  err.write(err.harmless(words) + "\n");
}

void print(const EvaluationOptions& options, const eval::Report& report) {
  for (const auto* file : {&options.json, &options.html, &options.svg}) {
    if (*file == "-") return;  // stdout is taken
  }
  const auto out = Terminal::of(stdout);
  out.write(report_table(report, out));
  if (const auto routers = routers_table(report, out); !routers.empty()) {
    out.write("\n" + routers);
  }
  if (const auto pairs = pairs_table(report, out); !pairs.empty()) out.write("\n" + pairs);
  if (options.feedback) out.write("\n" + stages_table(report, out));
  for (const auto& router : report.curves) {
    if (!router.note.empty()) out.write(router.plan + ": " + router.note + "\n");
  }
  if (const auto words = eval::in_words(report); !words.empty()) out.write("\n" + words + "\n");
}

Result<void> write_files(const EvaluationOptions& options, const eval::Report& report) {
  const auto write = [](const std::string& file, auto make) -> Result<void> {
    if (file.empty()) return {};
    auto written = write_output(file, make());
    if (written && file != "-") say("written: " + file);
    return written;
  };
  auto done = write(options.json, [&] { return boost::json::serialize(to_json(report)); });
  if (done) done = write(options.html, [&] { return eval::to_html(report); });
  if (done) done = write(options.svg, [&] { return eval::frontier_file(report); });
  return done;
}

}  // namespace

Result<eval::Suite> load_suite(const EvaluationOptions& options) {
  if (const auto split = tasks::split_named(options.suite)) return generated(options, *split);
  auto suite = eval::load_suite(options.suite);
  if (!suite) return suite;
  *suite = eval::selected(
      std::move(*suite),
      {.families = options.families, .levels = options.levels, .limit = options.limit});
  if (suite->tasks.empty()) {
    return fail(Errc::bad_request, options.suite + ": no task is of these families and levels");
  }
  return suite;
}

Result<std::vector<eval::Outcome>> measured(Host& host, const eval::Suite& suite,
                                            eval::MeasureOptions options) {
  std::stop_source stop;
  const CancelOnSignal watch(host.io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  const std::size_t before = options.journal == nullptr ? 0 : options.journal->found().size();
  const std::size_t total = options.plans.size() * suite.tasks.size();
  std::size_t now = before;
  if (before > 0) {
    say(fmt::format("going on from {} with {} of {} answers", options.journal->file().string(),
                    format_count(static_cast<std::int64_t>(before)),
                    format_count(static_cast<std::int64_t>(total))));
  }
  options.stop = stop.get_token();
  options.progress = [&](std::string_view plan, std::size_t done, std::size_t) {
    now = done;
    bar.update(static_cast<double>(done - before) / static_cast<double>(total - before), plan);
  };
  auto outcomes = eval::measure(host.runtime(), host.io().get_executor(), suite, options);
  bar.clear();
  if (!outcomes && outcomes.error().code == Errc::cancelled && options.journal != nullptr) {
    outcomes.error().detail = fmt::format(
        "interrupted; {} of {} answers are kept in {}, and the same command goes on "
        "from there",
        format_count(static_cast<std::int64_t>(now)),
        format_count(static_cast<std::int64_t>(total)), options.journal->file().string());
  }
  return outcomes;
}

int evaluate(const EvaluationOptions& options, const Invocation& invocation,
             policy::Config config) {
  const auto suite = load_suite(options);
  if (!suite) return report_error(suite.error());
  auto host = Host::open(eval::for_measuring(std::move(config)));
  if (!host) return report_error(host.error());
  const Runtime& runtime = (*host)->runtime();
  const auto baselines = choose_baselines(options, runtime);
  if (!baselines) return report_error(baselines.error());
  const auto plans = chosen_plans(options, runtime, *baselines);

  eval::MeasureOptions measuring{.plans = plans,
                                 .large = baselines->large,
                                 .judge = options.judge,
                                 .concurrency = options.concurrency,
                                 .max_tokens = options.max_tokens,
                                 .feedback = options.feedback};
  if (auto good = eval::check_options(runtime, *suite, measuring); !good) {
    return report_error(good.error());
  }
  auto journal = open_journal(options, {.suite = *suite,
                                        .config = runtime.config(),
                                        .baselines = *baselines,
                                        .plans = plans,
                                        .judge = options.judge,
                                        .concurrency = options.concurrency,
                                        .max_tokens = options.max_tokens});
  if (!journal) return report_error(journal.error());
  measuring.journal = journal->get();
  const auto outcomes = measured(**host, *suite, std::move(measuring));
  if (!outcomes) return report_error(outcomes.error());

  auto report = eval::make_report(*suite, plans, *baselines, *outcomes);
  for (const auto& model : runtime.models()) report.models.push_back(model->name());
  report.origin = origin_of(options, invocation, runtime.config(), *suite, *baselines);
  print(options, report);
  if (auto written = write_files(options, report); !written) return report_error(written.error());
  if (*journal != nullptr) {
    if (auto removed = (*journal)->remove(); !removed) return report_error(removed.error());
  }
  if (const auto failed = failure_of(report)) return report_error(*failed);
  return kOk;
}

void add_evaluation_options(CLI::App& command, EvaluationOptions& options) {
  command
      .add_option("--suite", options.suite,
                  "test, calibration or train: generated; else a JSONL file of prompts with "
                  "checkable answers")
      ->type_name("SUITE")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Another seed generates other tasks")
      ->type_name("N")
      ->capture_default_str();
  auto* plans =
      command
          .add_option("--plans", options.plans, "Plans and models to measure, separated by commas")
          ->type_name("NAMES")
          ->delimiter(',');
  if (!options.plans.empty()) plans->capture_default_str();
  command
      .add_option("--large", options.large,
                  "Models that count as large; without it the one named large, else the dearest "
                  "or largest")
      ->type_name("NAMES")
      ->delimiter(',');
  add_concurrency(command, options.concurrency, "Requests at once; latencies are clean at 1");
  add_json(command, options.json);
}

}  // namespace lichen::cli
