#include "cli/route_options.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json/serialize.hpp>
#include <memory>

#include "cli/ledger_file.h"
#include "cli/route_embedder.h"
#include "cli/table.h"
#include "eval/recorded_data.h"

namespace lichen::cli {

mechanisms::TrainingOptions LongWork::training(const RouteOptions& options,
                                               const std::string& embedder_hash) {
  return {.kind = mechanisms::router_kind(options.router).value_or(mechanisms::RouterKind::linear),
          .embedder_hash = embedder_hash,
          .seed = options.seed,
          .stop = stop_.get_token(),
          .progress = [this](double done) { bar_.update(done, label_); }};
}

void say(const std::string& words) { Terminal::of(stderr).write(words + "\n"); }

void say_duplicates(const eval::RouteData& data) {
  if (data.duplicates == 0) return;
  say(fmt::format("{} of {} prompts are repeated; equal ones stay on one side of each split",
                  format_count(static_cast<std::int64_t>(data.duplicates)),
                  format_count(std::ssize(data.examples))));
}

std::string source_of(const RouteOptions& options) {
  if (!options.recorded) return options.data;
  return options.ledger.empty() ? "the ledger" : options.ledger;
}

namespace {

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

}  // namespace

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

int finish(const RouteOptions& options, const std::string& table, const boost::json::object& json) {
  if (options.json != "-") Terminal::of(stdout).write(table);
  if (options.json.empty()) return kOk;
  const auto written = write_output(options.json, boost::json::serialize(json));
  return written ? kOk : report_error(written.error());
}

void RouteCommand::data(const std::string& what) {
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

void RouteCommand::plan(const std::string& what) {
  app.add_option("--plan", options.plan, what)->type_name("NAME");
}

void RouteCommand::suite() {
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

void RouteCommand::kind() {
  app.add_option("--router", options.router, "linear, knn, mf, ensemble or prefill")
      ->type_name("KIND")
      ->check(CLI::IsMember({"linear", "knn", "mf", "ensemble", "prefill"}).description(""))
      ->capture_default_str();
}

void RouteCommand::embedder() {
  app.add_option("--embedder", options.embedder,
                 "For knn: a GGUF model whose embeddings it reads in place of words")
      ->type_name("FILE");
}

void RouteCommand::seed() {
  app.add_option("--seed", options.seed, "Of all that is split or drawn at random")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX}).description(""))
      ->capture_default_str();
}

void RouteCommand::target() {
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

void RouteCommand::json() {
  app.add_option("--json", options.json, "Write the figures as JSON; - is stdout")
      ->type_name("FILE");
}

void add_route_command(CLI::App& route, Invocation& invocation, const std::string& name,
                       const std::string& description, const std::string& examples,
                       RouteAction action, void (*add)(RouteCommand)) {
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

}  // namespace lichen::cli
