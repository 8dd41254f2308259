#include "cli/distill_on_policy.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "cli/distill_collection.h"
#include "cli/distill_commands.h"
#include "cli/evaluation.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "cli/trainer_process.h"

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;

/// Of `questions`, those of a round; each is asked in one.
std::vector<mechanisms::TeacherQuestion> share_of(
    std::span<const mechanisms::TeacherQuestion> questions, int round, int rounds) {
  const std::size_t of = static_cast<std::size_t>(rounds);
  const std::size_t index = static_cast<std::size_t>(round - 1);
  const std::size_t begin = questions.size() * index / of;
  const std::size_t end = questions.size() * (index + 1) / of;
  return {questions.begin() + static_cast<std::ptrdiff_t>(begin),
          questions.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::string student_name(const StudentAndTeacher& both, const std::optional<Trained>& trained) {
  return trained ? both.name_of(*trained) : both.student();
}

}  // namespace

Result<Practised> practise(const StudentAndTeacher& both, const PracticeJob& job,
                           const std::stop_token& stop,
                           const std::function<void(double, const std::string&)>& progress) {
  std::error_code error;
  fs::create_directories(job.folder, error);
  if (error) {
    return fail(Errc::storage, job.folder.string() + ": cannot be made: " + error.message());
  }
  std::optional<Trained> now = job.begin;
  Practised practised;
  for (int round = 1; round <= job.rounds; ++round) {
    const std::string name = fmt::format("round-{}", round);
    const Trained next{.name = name, .gguf = job.folder / (name + ".gguf"), .full = job.full};
    const fs::path capture = job.folder / (name + ".safetensors");
    if (!fs::exists(next.gguf)) {
      const std::span<const Trained> answering =
          now ? std::span<const Trained>(&*now, 1) : std::span<const Trained>();
      auto host = Host::open(both.config_with(answering));
      if (!host) return std::unexpected(host.error());
      const auto collected =
          collect_into(**host,
                       {.teacher = both.teacher(),
                        .by = student_name(both, now),
                        .temperature = job.temperature,
                        .output = capture,
                        .alternatives = job.alternatives,
                        .concurrency = job.concurrency,
                        .max_tokens = job.max_tokens},
                       share_of(job.questions, round, job.rounds), stop, [&](double share) {
                         if (progress) progress(share, fmt::format("round {}: answering", round));
                       });
      if (!collected) return std::unexpected(collected.error());
      if (progress) progress(1, fmt::format("round {}: training", round));
      std::vector<std::string> arguments =
          now ? both.arguments_from(*now)
              : std::vector<std::string>{"--student", both.student_gguf().string()};
      if (!now && job.full) arguments.emplace_back("--full");
      arguments.insert(arguments.end(), {"--data", capture.string(), "--out", next.gguf.string()});
      arguments.insert(arguments.end(), job.arguments.begin(), job.arguments.end());
      const auto trained = run_trainer(arguments, stop);
      if (!trained) return std::unexpected(trained.error());
    }
    const auto read = mechanisms::CaptureFile::open(capture);
    if (!read) return std::unexpected(read.error());
    practised.answers += static_cast<std::int64_t>(read->examples());
    practised.tokens += static_cast<std::int64_t>(read->tokens());
    now = next;
  }
  practised.trained = *now;
  return practised;
}

namespace {

struct OnPolicyCommand {
  std::string student = "small";
  std::string teacher = "large";
  std::string output;
  std::string begin;
  EvaluationOptions evaluation = {.suite = "train"};
  PracticeJob job;
  std::string loss = "forward_kl";
  std::string folder;
  std::string json;
};

Result<Practised> practised(const OnPolicyCommand& command, const Invocation& invocation) {
  const auto config = load_chosen_config(invocation.config);
  if (!config) return std::unexpected(config.error());
  const auto both = StudentAndTeacher::of(*config, command.student, command.teacher);
  if (!both) return std::unexpected(both.error());
  const auto suite = load_suite(command.evaluation);
  if (!suite) return std::unexpected(suite.error());
  PracticeJob job = command.job;
  job.questions = questions_of(*suite, false);
  if (job.questions.size() < static_cast<std::size_t>(job.rounds)) {
    return fail(Errc::bad_request, fmt::format("{} prompts are fewer than {} rounds",
                                               job.questions.size(), job.rounds));
  }
  if (!command.begin.empty()) {
    job.begin = Trained{.name = "begin", .gguf = command.begin, .full = job.full};
  }
  job.folder = command.folder.empty() ? command.output + ".rounds" : command.folder;
  job.arguments.insert(job.arguments.begin(), {"--loss", command.loss});
  const StopOnSignal stop;
  ProgressBar bar(Terminal::of(stderr));
  auto done = practise(*both, job, stop.token(), [&bar](double share, const std::string& what) {
    if (share < 1) {
      bar.update(share, what);
    } else {
      bar.clear();  // the trainer has its own
    }
  });
  bar.clear();
  if (!done) return done;
  std::error_code error;
  const fs::path partial = command.output + ".partial";  // there is never half of a student
  fs::copy_file(done->trained.gguf, partial, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(partial, command.output, error);
  if (error) return fail(Errc::storage, command.output + ": " + error.message());
  return done;
}

int on_policy(const OnPolicyCommand& command, const Invocation& invocation) {
  const auto done = practised(command, invocation);
  if (!done) return report_error(done.error());
  if (command.json != "-") {
    Terminal::of(stdout).write(
        fmt::format("written  {}\nlearned  from {} answers of its own, {} tokens, in {} rounds\n",
                    command.output, format_count(done->answers), format_count(done->tokens),
                    command.job.rounds));
  }
  if (command.json.empty()) return kOk;
  const auto written = write_output(
      command.json, boost::json::serialize(boost::json::object{{"output", command.output},
                                                               {"student", command.student},
                                                               {"teacher", command.teacher},
                                                               {"rounds", command.job.rounds},
                                                               {"answers", done->answers},
                                                               {"tokens", done->tokens}}));
  return written ? int{kOk} : report_error(written.error());
}

}  // namespace

void add_distill_on_policy(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<OnPolicyCommand>();
  auto* command = distill.add_subcommand(
      "on-policy", "The student answers, the teacher corrects, the student learns; in rounds");
  command->add_option("--student", options->student, "Local model of the configuration")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--teacher", options->teacher, "Local model of the configuration")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "The adapter, or with --full the student")
      ->type_name("GGUF")
      ->required();
  command
      ->add_option("--begin", options->begin,
                   "An adapter (with --full a student) to go on from: a student that can answer "
                   "already learns more from its answers")
      ->type_name("GGUF")
      ->check(CLI::ExistingFile.description(""));
  add_suite_options(
      *command, options->evaluation,
      "train, calibration or test: generated; else a JSONL file of prompts",
      "At most so many prompts, shared out among the rounds; 500 of a generated suite");
  command->add_option("--rounds", options->job.rounds, "Of answering and training")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000).description(""))
      ->capture_default_str();
  command->add_option("--temperature", options->job.temperature, "Of the student's answers")
      ->type_name("T")
      ->check(CLI::Range(0.0F, 2.0F).description(""))
      ->capture_default_str();
  command->add_option("--loss", options->loss, "As of `lichen distill train`; not sft")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--max-tokens", options->job.max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  add_concurrency(*command, options->job.concurrency, "Prompts at once");
  command->add_flag("--full", options->job.full, "Train all weights, not an adapter");
  command->add_option("--folder", options->folder, "Keeps each round; OUTPUT.rounds without this")
      ->type_name("FOLDER");
  add_json(*command, options->json);
  command
      ->add_option("arguments", options->job.arguments,
                   "Behind --: arguments of `lichen distill train` for each round")
      ->type_name("ARGS");
  command->footer(
      "The same command goes on after an interruption with the round that it was at.\n"
      "\n"
      "Example:\n"
      "  lichen distill on-policy --begin divide.gguf --families divide --count 3000 \\\n"
      "      -o divide-own.gguf -- --epochs 1 --learning-rate 5e-4");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return on_policy(*options, invocation); };
  });
}

}  // namespace lichen::cli
