// lichen distill collect: a teacher's answers, with the odds of their tokens, into one file.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/format.h"
#include "cli/distill_collection.h"
#include "cli/distill_commands.h"
#include "cli/evaluation.h"
#include "cli/progress.h"
#include "cli/suite_options.h"
#include "cli/table.h"

namespace lichen::cli {
namespace {

using mechanisms::TeacherQuestion;

struct CollectCommand {
  CollectionJob job;
  EvaluationOptions evaluation = {.suite = "train"};
  bool recorded = false;   // the ledger's prompts in place of a suite's
  bool reference = false;  // the suite's answers in place of the teacher's
  std::string json;
};

Result<std::vector<TeacherQuestion>> questions_of_suite(const CollectCommand& command) {
  const auto suite = load_suite(command.evaluation);
  if (!suite) return std::unexpected(suite.error());
  return questions_of(*suite, command.reference);
}

boost::json::object json_of(const CollectionJob& job, const Collection& collection) {
  boost::json::object failed;
  for (const auto& [code, count] : collection.went.failed) failed[code] = count;
  return {{"output", job.output.string()},
          {"teacher", job.teacher},
          {"examples", collection.examples},
          {"tokens", collection.tokens},
          {"bytes", collection.bytes},
          {"asked", collection.went.asked},
          {"known", collection.went.known},
          {"kept", collection.went.kept},
          {"kept_tokens", collection.went.tokens},
          {"wrong", collection.went.wrong},
          {"failed", std::move(failed)},
          {"seconds", collection.seconds}};
}

std::string summary(const CollectionJob& job, const Collection& collection) {
  const auto count = [](auto number) { return format_count(static_cast<std::int64_t>(number)); };
  const mechanisms::Collected& went = collection.went;
  std::string text = fmt::format("written  {}: {} examples, {} tokens, {}", job.output.string(),
                                 count(collection.examples), count(collection.tokens),
                                 format_bytes(collection.bytes));
  if (collection.tokens > 0) {
    text += fmt::format(", {} bytes a token", collection.bytes / collection.tokens);
  }
  text += fmt::format("\nasked    {}: {} kept, {} there already, {} wrong and left out",
                      count(went.asked), count(went.kept), count(went.known), count(went.wrong));
  for (const auto& [code, number] : went.failed) {
    text += fmt::format(", {} failed ({})", count(number), code);
  }
  text += fmt::format("\ntime     {}", format_ms(collection.seconds * 1'000));
  if (went.tokens > 0) {
    text += fmt::format(", {:.0f} tokens/s", static_cast<double>(went.tokens) / collection.seconds);
  }
  if (!went.last_error.empty()) text += "\nlast     " + went.last_error;
  return text + "\n";
}

int collect(const CollectCommand& command, const Invocation& invocation) {
  if (command.recorded && command.reference) {
    return report_error({Errc::bad_request, "recorded prompts have no answers to read again"});
  }
  if (!command.job.by.empty() && (command.reference || command.job.rationale)) {
    return report_error({Errc::bad_request,
                         "--by has somebody answer whom the teacher corrects: --reference and "
                         "--rationale are of the teacher's own answers"});
  }
  auto host = Host::open(invocation.config);
  if (!host) return report_error(host.error());
  const auto questions =
      command.recorded ? recorded_questions((*host)->runtime().ledger(), command.evaluation.limit)
                       : questions_of_suite(command);
  if (!questions) return report_error(questions.error());
  std::stop_source stop;
  const CancelOnSignal watch((*host)->io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  const auto collection = collect_into(**host, command.job, *questions, stop.get_token(),
                                       [&bar](double share) { bar.update(share, "collecting"); });
  bar.clear();
  if (!collection) return report_error(collection.error());
  if (command.json != "-") {
    Terminal::of(stdout).write(summary(command.job, *collection));
  }
  if (command.json.empty()) return kOk;
  const auto reported =
      write_output(command.json, boost::json::serialize(json_of(command.job, *collection)));
  return reported ? kOk : report_error(reported.error());
}

}  // namespace

void add_distill_collect(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<CollectCommand>();
  auto* command = distill.add_subcommand(
      "collect", "Ask a teacher, and keep its answers with the odds of their tokens");
  command->add_option("--teacher", options->job.teacher, "Model or plan of the configuration")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("-o,--output", options->job.output,
                   "The capture; one that is there is gone on with, if it is of this teacher")
      ->type_name("FILE")
      ->required();
  auto* suite =
      add_suite_options(*command, options->evaluation,
                        "train, calibration or test: generated; else a JSONL file of prompts, with "
                        "checkable answers or without",
                        "At most so many prompts; 500 of a generated suite, else all");
  command
      ->add_flag("--recorded", options->recorded,
                 "The prompts that the ledger has recorded, in place of a suite's")
      ->excludes(suite);
  command->add_flag("--reference", options->reference,
                    "The suite's own answers, read by the teacher, in place of its answers");
  command
      ->add_option("--by", options->job.by,
                   "Who answers, right or wrong, what the teacher then reads: the student, for "
                   "on-policy training")
      ->type_name("NAME");
  command
      ->add_option("--temperature", options->job.temperature,
                   "At which answers are drawn; each model's own without this")
      ->type_name("T")
      ->check(CLI::Range(0.0F, 2.0F).description(""));
  command
      ->add_option("--alternatives", options->job.alternatives,
                   "Likeliest tokens to keep at each place; of an endpoint at most 20; 0: the text")
      ->type_name("N")
      ->check(CLI::Range(0, 1'024).description(""))
      ->capture_default_str();
  command->add_flag("--rationale", options->job.rationale,
                    "Also ask for the way to each answer, which a student may learn as a second "
                    "task");
  command->add_option("--max-tokens", options->job.max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  add_concurrency(*command, options->job.concurrency, "Prompts at once");
  add_json(*command, options->json);
  command->footer(
      "Answers that the suite's check finds wrong are left out and counted. An interruption loses\n"
      "nothing: the same command goes on. A teacher without log-probabilities gives texts alone.\n"
      "\n"
      "Examples:\n"
      "  lichen distill collect --teacher large --families multiply,divide -o large.safetensors\n"
      "  lichen distill collect --teacher cloud --suite prompts.jsonl -o cloud.safetensors\n"
      "  lichen distill collect --teacher large --recorded -o traffic.safetensors");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return collect(*options, invocation); };
  });
}

}  // namespace lichen::cli
