// lichen blend: the weights of a plan's blend, learned from right answers.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/evaluation.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/baselines.h"
#include "eval/fingerprint.h"
#include "mechanisms/fusion/answer_segments.h"
#include "mechanisms/fusion/learned_weights.h"
#include "model/local_model.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

using LocalModels = std::vector<std::shared_ptr<model::LocalModel>>;

struct BlendCommand {
  std::string plan;
  std::string output;
  EvaluationOptions tasks;
};

struct Subject {
  std::vector<std::string> names;  // of the blend's models
  boost::json::array identities;
  policy::Config config;  // of the models alone
};

Result<Subject> subject_of(const Invocation& invocation, const std::string& plan) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return std::unexpected(config.error());
  const auto blend = policy::only_mechanism(*config, plan, "blend");
  if (!blend) return std::unexpected(blend.error());
  const policy::YamlNode* of = (*blend)->find("of");
  Subject subject;
  for (const policy::YamlNode& item : of != nullptr ? of->items : std::vector<policy::YamlNode>{}) {
    subject.names.push_back(item.text);
  }
  if (subject.names.size() < 2) {
    return fail(Errc::bad_config, "the blend of the plan `" + plan + "` has no list `of` models");
  }
  auto identity = policy::mechanism_identity(*config, **blend);
  if (!identity) return std::unexpected(identity.error());
  subject.identities = identity->at("of").as_array();
  config->plans.clear();  // one of them waits for what is learned here
  subject.config = eval::for_measuring(*std::move(config));
  return subject;
}

Result<LocalModels> find_models(Host& host, const std::vector<std::string>& names) {
  LocalModels models;
  for (const std::string& name : names) {
    const auto found = host.runtime().find(name);
    if (!found) return std::unexpected(found.error());
    auto local = std::dynamic_pointer_cast<model::LocalModel>(*found);
    if (local == nullptr) {
      return fail(
          Errc::unsupported,
          "weights are learned from local models' log-probabilities, and `" + name + "` is none");
    }
    models.push_back(std::move(local));
  }
  return models;
}

/// None: a model has no room for it.
Result<std::optional<std::vector<mechanisms::Segment>>> read_one(Host& host,
                                                                 const LocalModels& models,
                                                                 const eval::Task& task,
                                                                 Turn& turn) {
  Request request{.messages = {{.role = "user", .content = task.prompt}}};
  if (!task.document.empty()) request.document = task.document;
  const std::string& text = task.answer.empty() ? task.reference : task.answer;
  std::vector<mechanisms::ReadAnswer> readings;
  for (const auto& model : models) {
    auto read =
        boost::asio::co_spawn(host.io(), mechanisms::read_answer(model, request, text, turn),
                              boost::asio::use_future)
            .get();
    if (!read && read.error().code == Errc::context_overflow) return std::nullopt;
    if (!read) return std::unexpected(read.error());
    readings.push_back(*std::move(read));
  }
  return mechanisms::common_segments(readings);
}

Result<mechanisms::LearnedWeights> learned(Host& host, const LocalModels& models,
                                           const eval::Suite& suite) {
  ProgressBar bar(Terminal::of(stderr));
  Turn turn("blend");
  const CancelOnSignal watch(host.io(), [&turn] { turn.cancel(); });
  std::vector<mechanisms::Segment> segments;
  std::int64_t answers = 0;
  for (std::size_t i = 0; i < suite.tasks.size(); ++i) {
    auto read = read_one(host, models, suite.tasks[i], turn);
    if (!read) return std::unexpected(read.error());
    bar.update(static_cast<double>(i + 1) / static_cast<double>(suite.tasks.size()), "reading");
    if (!*read) continue;
    ++answers;
    std::ranges::move(**read, std::back_inserter(segments));
  }
  auto weights = mechanisms::learn_weights(segments);
  if (!weights) return std::unexpected(weights.error());
  weights->answers = answers;
  weights->data_hash = eval::fingerprint(suite);
  return weights;
}

std::string table_of(const std::vector<std::string>& names,
                     const mechanisms::LearnedWeights& learned) {
  Table table({{"model", Table::Align::left}, {"weight"}, {"nats a segment"}});
  for (std::size_t i = 0; i < names.size(); ++i) {
    table.row({names[i], fmt::format("{:.4f}", learned.weights[i]),
               fmt::format("{:.4f}", learned.nats[i])});
  }
  table.row({"blend", "", fmt::format("{:.4f}", learned.blended_nats)});
  return table.text(Terminal::of(stdout));
}

boost::json::object json_of(const std::vector<std::string>& names,
                            const mechanisms::LearnedWeights& learned) {
  boost::json::object weights, nats;
  for (std::size_t i = 0; i < names.size(); ++i) {
    weights[names[i]] = learned.weights[i];
    nats[names[i]] = learned.nats[i];
  }
  return {{"weights", std::move(weights)},
          {"nats", std::move(nats)},
          {"blended_nats", learned.blended_nats},
          {"answers", learned.answers},
          {"segments", learned.segments}};
}

int blend(const BlendCommand& options, const Invocation& invocation) {
  const auto suite = load_suite(options.tasks);
  if (!suite) return report_error(suite.error());
  auto subject = subject_of(invocation, options.plan);
  if (!subject) return report_error(subject.error());
  auto host = Host::open(std::move(subject->config));
  if (!host) return report_error(host.error());
  const auto models = find_models(**host, subject->names);
  if (!models) return report_error(models.error());
  auto weights = learned(**host, *models, *suite);
  if (!weights) return report_error(weights.error());
  weights->models = std::move(subject->identities);
  if (auto saved = mechanisms::save_learned_weights(*weights, options.output); !saved) {
    return report_error(saved.error());
  }
  if (options.tasks.json != "-") {
    const auto out = Terminal::of(stdout);
    out.write(table_of(subject->names, *weights));
    out.write(fmt::format("\nwritten: {} (weights, {} segments of {} answers)\n", options.output,
                          format_count(weights->segments), format_count(weights->answers)));
  }
  if (options.tasks.json.empty()) return kOk;
  const auto written =
      write_output(options.tasks.json, boost::json::serialize(json_of(subject->names, *weights)));
  return written ? kOk : report_error(written.error());
}

}  // namespace

void add_blend(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<BlendCommand>();
  options->tasks.suite = "calibration";
  auto* command = app.add_subcommand("blend", "Learn a blend's weights from right answers");
  command->add_option("--plan", options->plan, "Plan whose blend gets weights")
      ->type_name("NAME")
      ->required();
  command->add_option("-o,--output", options->output, "File that the plan names as `learned`")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--suite", options->tasks.suite,
                   "calibration, train or test: generated; or a JSONL file of prompts with right "
                   "answers")
      ->type_name("SUITE")
      ->capture_default_str();
  command->add_option("--suite-seed", options->tasks.seed, "Another seed generates other tasks")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--families", options->tasks.families, "Only these kinds of tasks")
      ->type_name("NAME,...")
      ->delimiter(',');
  command->add_option("--limit", options->tasks.limit, "The first N tasks of what is left")
      ->type_name("N");
  add_json(*command, options->tasks.json);
  command->footer(
      "Examples:\n"
      "  lichen blend --config examples/blend.yaml --plan mean --limit 448 -o my.weights");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return blend(*options, invocation); };
  });
}

}  // namespace lichen::cli
