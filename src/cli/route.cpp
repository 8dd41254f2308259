// lichen route: routers trained, calibrated and judged on what small and large made of prompts.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <thread>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/ledger_file.h"
#include "cli/plan_calibration.h"
#include "cli/progress.h"
#include "cli/route_collect.h"
#include "cli/route_embedder.h"
#include "cli/table.h"
#include "eval/recorded_data.h"
#include "eval/route_data.h"
#include "eval/route_evaluation.h"
#include "mechanisms/routing/example_router.h"

namespace lichen::cli {
namespace {

using mechanisms::RouterKind;

struct RouteOptions {
  std::string data;
  bool recorded = false;          // the data is in a ledger ...
  std::string ledger;             // ... in this file; empty: in the configuration's
  std::filesystem::path config;   // --config
  std::string router = "linear";  // a kind, or a file
  std::string output;
  std::string json;
  std::string small, large;
  std::string embedder;  // a GGUF file whose embeddings `knn` reads; empty: it reads the text
  std::string split = "prompt";
  std::uint64_t seed = 1;
  int folds = 5;
  double alpha = 0.05;
  double delta = 0.1;
  int resamples = 300;
  std::size_t calibration = 0;
  std::string plan;
  EvaluationOptions measuring{.suite = "calibration"};
  const Invocation* invocation = nullptr;
};

/// While it lives, a progress bar is shown and Ctrl-C stops the work.
class LongWork {
 public:
  explicit LongWork(std::string label) : label_(std::move(label)) {}

  mechanisms::TrainingOptions training(const RouteOptions& options,
                                       const std::string& embedder_hash) {
    return {.kind = mechanisms::router_kind(options.router).value_or(RouterKind::linear),
            .embedder_hash = embedder_hash,
            .seed = options.seed,
            .stop = stop_.get_token(),
            .progress = [this](double done) { bar_.update(done, label_); }};
  }

 private:
  const std::string label_;
  ProgressBar bar_{Terminal::of(stderr)};
  std::stop_source stop_;
  boost::asio::io_context io_{1};
  CancelOnSignal watch_{io_, [this] { stop_.request_stop(); }};
  std::jthread thread_{[this] { io_.run(); }};

 public:
  ~LongWork() { io_.stop(); }
};

void say(const std::string& words) { Terminal::of(stderr).write(words + "\n"); }

/// Where the data comes from, for messages.
std::string source_of(const RouteOptions& options) {
  if (!options.recorded) return options.data;
  return options.ledger.empty() ? "the ledger" : options.ledger;
}

/// Outcomes, and of which model their features are embeddings; empty: of none.
struct LoadedData : eval::RouteData {
  std::string embedder_hash = {};
};

/// From a file, or from recorded traffic.
Result<eval::RouteData> load_outcomes(const RouteOptions& options) {
  if (!options.recorded && options.data.empty()) {
    return fail(Errc::bad_request,
                "outcomes are needed: --data FILE, or --ledger; for a plan's cascade --plan NAME");
  }
  if (!options.recorded) return eval::load_route_data(options.data);
  const auto opened =
      options.ledger.empty() ? open_ledger(options.config) : open_ledger_file(options.ledger);
  if (!opened) return std::unexpected(opened.error());
  return eval::recorded_route_data(**opened, options.small, options.large, source_of(options));
}

/// `router`: the trained one that is to read the data, or null.
Result<LoadedData> load_data(const RouteOptions& options, const mechanisms::RouterFile* router) {
  const std::string wanted = router != nullptr ? router->origin.embedder_hash : "";
  if (router == nullptr && !options.embedder.empty() && options.router != "knn") {
    return fail(Errc::bad_request, "--embedder is for --router knn");
  }
  if (router != nullptr && wanted.empty() != options.embedder.empty()) {
    return fail(Errc::bad_request,
                options.router + (wanted.empty()
                                      ? ": was trained without an embedder, so leave --embedder out"
                                      : ": reads embeddings: name their model by --embedder FILE"));
  }
  auto outcomes = load_outcomes(options);
  if (!outcomes) return std::unexpected(outcomes.error());
  LoadedData data{*std::move(outcomes)};
  if (options.embedder.empty()) return data;
  auto hash = embed_prompts(data, options.embedder);
  if (!hash) return std::unexpected(hash.error());
  if (router != nullptr && *hash != wanted) {
    return fail(Errc::bad_request,
                fmt::format("{}: was trained on embeddings of another model (SHA-256 {}) than {} "
                            "({})",
                            options.router, wanted, options.embedder, *hash));
  }
  data.embedder_hash = *std::move(hash);
  return data;
}

void say_duplicates(const eval::RouteData& data) {
  if (data.duplicates == 0) return;
  say(fmt::format("{} of {} prompts are repeated; equal ones stay on one side of each split",
                  format_count(static_cast<std::int64_t>(data.duplicates)),
                  format_count(std::ssize(data.examples))));
}

/// The table for people, unless stdout is for the JSON; then the JSON where it is wanted.
int finish(const RouteOptions& options, const std::string& table, const boost::json::object& json) {
  if (options.json != "-") Terminal::of(stdout).write(table);
  if (options.json.empty()) return kOk;
  const auto written = write_output(options.json, boost::json::serialize(json));
  return written ? kOk : report_error(written.error());
}

/// A cascade's confidence, by measuring its plan's models.
int train_plan(const RouteOptions& options) {
  const auto answers =
      cli::train_plan(*options.invocation, options.plan, options.measuring, options.output);
  if (!answers) return report_error(answers.error());
  say(fmt::format("written: {} (learned confidence, {} answers)", options.output,
                  format_count(static_cast<std::int64_t>(*answers))));
  return kOk;
}

int train(const RouteOptions& options) {
  if (!options.plan.empty()) return train_plan(options);
  const auto data = load_data(options, nullptr);
  if (!data) return report_error(data.error());
  say_duplicates(*data);
  if (options.router == to_string(RouterKind::prefill)) {
    if (auto good = eval::check_prefill_origin(*data); !good) {
      return report_error({good.error().code, source_of(options) + ": " + good.error().detail});
    }
  }
  auto file = [&] {
    LongWork work("training");
    return mechanisms::train_router(data->examples, work.training(options, data->embedder_hash));
  }();
  if (!file) return report_error(file.error());
  file->origin.data_hash = data->hash;
  file->origin.small_hash = data->small_hash;
  file->origin.large_hash = data->large_hash;
  file->origin.small = options.small;
  file->origin.large = options.large;
  if (auto saved = mechanisms::save_router_file(*file, options.output); !saved) {
    return report_error(saved.error());
  }
  say(fmt::format("written: {} ({}, {} prompts, {}); `lichen route calibrate` gives it a bound",
                  options.output, options.router, format_count(file->origin.examples),
                  format_bytes(std::filesystem::file_size(options.output))));
  return kOk;
}

boost::json::object choice_json(const mechanisms::Calibration& calibration,
                                const mechanisms::RiskTarget& target,
                                const std::optional<mechanisms::RiskChoice>& choice) {
  boost::json::object json{{"n", calibration.n},
                           {"alpha", target.alpha},
                           {"delta", target.delta},
                           {"threshold", nullptr},
                           {"least_data", mechanisms::least_data(target)}};
  if (!choice) return json;
  json["threshold"] = choice->threshold;
  json["losses"] = choice->at.losses;
  json["by_small"] = choice->at.by_small;
  json["upper_bound"] = choice->upper_bound;
  return json;
}

std::string choice_text(const mechanisms::Calibration& calibration,
                        const mechanisms::RiskTarget& target,
                        const std::optional<mechanisms::RiskChoice>& choice) {
  if (!choice) {
    return fmt::format(
        "large answers everything: {} prompts show no threshold with a risk of at most {} at "
        "confidence {} (even without a loss it takes {})\n",
        calibration.n, target.alpha, 1 - target.delta, mechanisms::least_data(target));
  }
  const auto n = static_cast<double>(calibration.n);
  return fmt::format(
      "threshold {:.4f}: small answers {}; {} of {} prompts lost, so at confidence {} the risk is "
      "at most {}\n",
      choice->threshold, format_percent(static_cast<double>(choice->at.by_small) / n),
      choice->at.losses, calibration.n, 1 - target.delta, format_percent(choice->upper_bound));
}

int report_calibration(const RouteOptions& options, const mechanisms::Calibration& counts) {
  const mechanisms::RiskTarget target{.alpha = options.alpha, .delta = options.delta};
  const auto choice = mechanisms::choose_threshold(counts, target);
  return finish(options, choice_text(counts, target, choice), choice_json(counts, target, choice));
}

/// Of a plan, by measuring it.
int calibrate_plan(const RouteOptions& options) {
  if (options.output.empty()) {
    return report_error({Errc::bad_request, "--plan needs -o FILE: where to write the counts"});
  }
  const auto calibration =
      cli::calibrate_plan(*options.invocation, options.plan, options.measuring, options.output);
  return calibration ? report_calibration(options, calibration->counts)
                     : report_error(calibration.error());
}

int calibrate(const RouteOptions& options) {
  if (!options.plan.empty()) return calibrate_plan(options);
  if (options.router.empty()) {
    return report_error({Errc::bad_request,
                         "name --plan and -o to calibrate a plan on a suite, or --router and "
                         "--data to calibrate a router on outcomes"});
  }
  auto file = mechanisms::load_router_file(options.router);
  if (!file) return report_error(file.error());
  const auto router = mechanisms::ExampleRouter::open(*file);
  if (!router) {
    return report_error({router.error().code, options.router + ": " + router.error().detail});
  }
  const auto data = load_data(options, &*file);
  if (!data) return report_error(data.error());
  if (auto good = eval::check_unseen(*data, *file); !good) {
    return report_error({good.error().code, source_of(options) + ": " + good.error().detail});
  }
  std::vector<mechanisms::Scored> scored;
  for (const auto& example : data->examples) {
    const auto need = router->need(example);
    if (!need)
      return report_error({need.error().code, source_of(options) + ": " + need.error().detail});
    scored.push_back({.need = *need,
                      .lost = example.large_right && !example.small_right,
                      .unlike = !example.large_right || !example.small_right});
  }
  auto counts = mechanisms::calibrate(scored, file->thresholds);
  counts.data_hash = data->hash;
  file->calibration = counts;
  if (auto saved = mechanisms::save_router_file(*file, options.router); !saved) {
    return report_error(saved.error());
  }
  return report_calibration(options, counts);
}

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

using Action = int (*)(const RouteOptions&);

struct Subcommand {
  CLI::App& app;
  RouteOptions& options;

  void data(const std::string& what) {
    auto* data = app.add_option("--data", options.data, what)->type_name("FILE");
    auto* ledger = app.add_option_function<std::string>(
                          "--ledger",
                          [&chosen = options](const std::string& file) {
                            chosen.recorded = true;
                            chosen.ledger = file;
                          },
                          "Instead: recorded prompts with feedback, of this ledger or the "
                          "configuration's")
                       ->type_name("[FILE]")
                       ->expected(0, 1);
    auto* small = app.add_option("--small", options.small,
                                 "Name of small; with --ledger the plan or model that was asked")
                      ->type_name("NAME");
    auto* large = app.add_option("--large", options.large, "Likewise of large")->type_name("NAME");
    ledger->needs(small)->needs(large)->excludes(data);
  }
  void plan(const std::string& what) {
    app.add_option("--plan", options.plan, what)->type_name("NAME");
  }
  /// What a plan is measured on.
  void suite() {
    app.add_option("--suite", options.measuring.suite,
                   "calibration, train or test: generated; or a JSONL file of prompts with "
                   "checkable answers")
        ->type_name("SUITE")
        ->capture_default_str();
    app.add_option("--limit", options.measuring.limit,
                   "At most so many tasks; 500 of a generated suite, all of a file")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""));
    app.add_option("--suite-seed", options.measuring.seed, "Another seed generates other tasks")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--concurrency", options.measuring.concurrency, "Requests at once")
        ->type_name("N")
        ->check(CLI::Range(1, 1'024).description(""))
        ->capture_default_str();
  }
  void kind() {
    app.add_option("--router", options.router, "linear, knn, mf, ensemble or prefill")
        ->type_name("KIND")
        ->check(CLI::IsMember({"linear", "knn", "mf", "ensemble", "prefill"}).description(""))
        ->capture_default_str();
  }
  void embedder() {
    app.add_option("--embedder", options.embedder,
                   "For knn: a GGUF model whose embeddings it reads in place of words")
        ->type_name("FILE");
  }
  void seed() {
    app.add_option("--seed", options.seed, "Of all that is split or drawn at random")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX}).description(""))
        ->capture_default_str();
  }
  void target() {
    const auto open_unit = CLI::Range(1e-6, 1 - 1e-6).description("");
    app.add_option("--alpha", options.alpha,
                   "Largest share of answers that may be wrong where large alone is right")
        ->type_name("SHARE")
        ->check(open_unit)
        ->capture_default_str();
    app.add_option("--delta", options.delta, "Probability with which that may fail to hold")
        ->type_name("SHARE")
        ->check(open_unit)
        ->capture_default_str();
  }
  void json() {
    app.add_option("--json", options.json, "Write the figures as JSON; - is stdout")
        ->type_name("FILE");
  }
};

/// Options shared by the caller through `options`; `add` declares them.
void add_subcommand(CLI::App& route, Invocation& invocation, const std::string& name,
                    const std::string& description, const std::string& examples, Action action,
                    void (*add)(Subcommand)) {
  auto options = std::make_shared<RouteOptions>();
  options->invocation = &invocation;
  auto* command = route.add_subcommand(name, description);
  add({*command, *options});
  command->footer("Examples:\n" + examples);
  command->callback([&invocation, options, action] {
    options->config = invocation.config;
    invocation.action = [options, action] { return action(*options); };
  });
}

}  // namespace

void add_route(CLI::App& app, Invocation& invocation) {
  auto* route = app.add_subcommand("route", "Train, calibrate and judge routers");
  route->require_subcommand(1);
  route->footer(
      "--data is a JSONL file: prompt, small_correct, large_correct and, if you like, subject\n"
      "and features; `collect` makes one.\n"
      "\n"
      "Examples:\n"
      "  lichen route collect --small small --large large -o outcomes.jsonl\n"
      "  lichen route train --data outcomes.jsonl --router linear -o my.router\n"
      "  lichen route calibrate --router my.router --data more.jsonl --alpha 0.05 --delta 0.1\n"
      "  lichen route eval --data outcomes.jsonl --router linear --folds 5\n"
      "  lichen route risk --data outcomes.jsonl --router linear --alpha 0.05");
  add_route_collect(*route, invocation);
  add_subcommand(
      *route, invocation, "train", "Train a router on what small and large made of prompts",
      "  lichen route train --data outcomes.jsonl --router linear -o my.router\n"
      "  lichen route train --data outcomes.jsonl -o my.router --small qwen-1b --large gpt-x\n"
      "  lichen route train --config lichen.yaml --plan learned --suite train -o my.confidence",
      train, [](Subcommand command) {
        command.data("Outcomes to train on, JSONL");
        command.options.measuring.suite = "train";
        command.plan("A plan whose cascade gets a learned confidence");
        command.suite();
        command.kind();
        command.embedder();
        command.app.add_option("-o,--output", command.options.output, "The router's file")
            ->type_name("FILE")
            ->required();
        command.seed();
      });
  add_subcommand(
      *route, invocation, "calibrate",
      "Count the losses of a router, or of a plan, on data of its own, for a bound on the risk",
      "  lichen route calibrate --router my.router --data more.jsonl --alpha 0.05 --delta 0.1\n"
      "  lichen route calibrate --config lichen.yaml --plan cascade -o cascade.calibration",
      calibrate, [](Subcommand command) {
        command.options.router.clear();
        command.app
            .add_option("--router", command.options.router, "The router's file; gets the counts")
            ->type_name("FILE");
        command.data("Outcomes that the router was not trained on, JSONL");
        command.embedder();
        command.plan("A plan that chooses between small and large by a score");
        command.app
            .add_option("-o,--output", command.options.output, "The plan's calibration file")
            ->type_name("FILE");
        command.suite();
        command.target();
        command.json();
      });
  add_subcommand(
      *route, invocation, "eval",
      "Judge a kind of router by cross-validation, or a trained one on data that it has not seen",
      "  lichen route eval --data outcomes.jsonl --router linear --folds 5 --json figures.json\n"
      "  lichen route eval --data outcomes.jsonl --folds 2 --split-by subject\n"
      "  lichen route eval --data other-outcomes.jsonl --router my.router",
      evaluate, [](Subcommand command) {
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
  add_subcommand(
      *route, invocation, "risk", "How often a stated risk is broken, over many calibrations",
      "  lichen route risk --data outcomes.jsonl --alpha 0.05 --delta 0.1 --resamples 300", risk,
      [](Subcommand command) {
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
