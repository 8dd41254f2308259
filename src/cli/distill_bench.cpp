// lichen distill bench: how much of what large has over small a few minutes of training bring.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/distill_collection.h"
#include "cli/distill_commands.h"
#include "cli/distill_on_policy.h"
#include "cli/distill_students.h"
#include "cli/evaluation.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "cli/trainer_process.h"
#include "eval/gap.h"

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kOnPolicy = "on_policy";

struct BenchCommand {
  std::string student = "small";
  std::string teacher = "large";
  std::vector<std::string> families = {"subtract", "divide", "date_add"};
  std::vector<std::string> losses = {"forward_kl"};
  bool full = false;
  double minutes = 5;                       // of training, for each family and loss
  std::int64_t steps = 0;                   // in place of minutes
  std::size_t count = 6'000;                // prompts of the family
  std::size_t rehearsal = 6'000;            // of all families, which the student answers itself
  std::size_t tasks = 200;                  // that each family is measured on
  std::size_t other_tasks = 448;            // of all families
  int rounds = 2;                           // of on_policy
  std::size_t practice = 1'500;             // prompts of these rounds
  std::vector<std::string> arguments = {};  // of the trainer
  fs::path folder = "distill-bench";
  int concurrency = 16;
  std::string json;
};

/// What a student is to learn of, and how; then what came of it.
struct Lesson {
  std::string family;
  std::string loss;
  Trained trained = {};
  json::object training = {};  // the trainer's report
  eval::Gap gap = {};
};

/// Captures, students and reports stay in the folder, and what is there is not made again.
class Bench {
 public:
  Bench(BenchCommand command, StudentAndTeacher both)
      : command_(std::move(command)), both_(std::move(both)) {}

  Result<std::vector<Lesson>> run();

 private:
  Result<fs::path> captured(const std::string& name, const std::string& teacher,
                            const std::vector<std::string>& families, std::size_t count,
                            std::uint64_t seed);
  Result<fs::path> rehearsal() {
    return captured("rehearsal", both_.student(), {}, command_.rehearsal, 2);
  }
  Result<void> learn(Lesson& lesson);
  Result<Trained> practised(const Lesson& lesson, const Trained& begin);
  Result<json::object> train(std::vector<std::string> arguments, const fs::path& out);
  std::vector<std::string> budget(double share) const;
  Result<void> measure(const std::string& family, std::vector<Lesson*> lessons);
  Result<std::vector<eval::Outcome>> outcomes(const policy::Config& config,
                                              const eval::Suite& suite,
                                              std::vector<std::string> plans) const;

  const BenchCommand command_;
  const StudentAndTeacher both_;
  std::stop_token stop_;
};

Result<eval::Suite> suite_of(const std::string& split, const std::vector<std::string>& families,
                             std::size_t count, std::uint64_t seed = 1) {
  return load_suite({.suite = split, .seed = seed, .limit = count, .families = families});
}

Result<fs::path> Bench::captured(const std::string& name, const std::string& teacher,
                                 const std::vector<std::string>& families, std::size_t count,
                                 std::uint64_t seed) {
  fs::path file = command_.folder / (name + ".safetensors");
  if (fs::exists(file)) return file;
  const auto suite = suite_of("train", families, count, seed);
  if (!suite) return std::unexpected(suite.error());
  auto host = Host::open(both_.config_with({}));
  if (!host) return std::unexpected(host.error());
  ProgressBar bar(Terminal::of(stderr));
  const auto collected = collect_into(
      **host, {.teacher = teacher, .output = file, .concurrency = command_.concurrency},
      questions_of(*suite, false), stop_,
      [&](double share) { bar.update(share, name + ": collecting"); });
  bar.clear();
  if (!collected) return std::unexpected(collected.error());
  return file;
}

/// The trainer's arguments that end a run after this share of all.
std::vector<std::string> Bench::budget(double share) const {
  if (command_.steps > 0) {
    const auto steps = std::llround(share * static_cast<double>(command_.steps));
    return {"--steps", std::to_string(std::max<long long>(1, steps))};
  }
  return {"--minutes", fmt::format("{}", share * command_.minutes)};
}

/// The report stands beside what was trained.
Result<json::object> Bench::train(std::vector<std::string> arguments, const fs::path& out) {
  const fs::path report = fs::path(out).replace_extension(".json");
  if (fs::exists(out) && fs::exists(report)) {
    std::ifstream stream(report);
    boost::system::error_code error;
    json::value read = json::parse(stream, error);
    if (!error && read.is_object()) return std::move(read.get_object());
  }
  arguments.insert(arguments.end(), {"--out", out.string()});
  arguments.insert(arguments.end(), command_.arguments.begin(), command_.arguments.end());
  auto trained = run_trainer(arguments, stop_);
  if (!trained) return trained;
  if (auto written = write_output(report.string(), json::serialize(*trained)); !written) {
    return std::unexpected(written.error());
  }
  return trained;
}

Result<void> Bench::learn(Lesson& lesson) {
  const auto family = captured(lesson.family, both_.teacher(), {lesson.family}, command_.count, 1);
  if (!family) return std::unexpected(family.error());
  const bool practises = lesson.loss == kOnPolicy;
  const std::string loss = practises ? "forward_kl" : lesson.loss;
  std::vector<std::string> arguments = {
      "--student", both_.student_gguf().string(), "--data", family->string(), "--loss", loss};
  if (command_.rehearsal > 0) {
    const auto known = rehearsal();
    if (!known) return std::unexpected(known.error());
    arguments.insert(arguments.end(), {"--data", known->string()});
  }
  if (command_.full) arguments.emplace_back("--full");
  const auto half = budget(practises ? 0.5 : 1);
  arguments.insert(arguments.end(), half.begin(), half.end());
  const std::string name =
      fmt::format("{}-{}{}", lesson.family, lesson.loss, command_.full ? "-full" : "");
  lesson.trained = {
      .name = name, .gguf = command_.folder / (name + ".gguf"), .full = command_.full};
  auto trained = train(std::move(arguments), lesson.trained.gguf);
  if (!trained) return std::unexpected(trained.error());
  lesson.training = *std::move(trained);
  if (!practises) return {};
  auto own = practised(lesson, lesson.trained);
  if (!own) return std::unexpected(own.error());
  lesson.trained = *std::move(own);
  lesson.trained.name = name;
  return {};
}

Result<Trained> Bench::practised(const Lesson& lesson, const Trained& begin) {
  const auto suite = suite_of("train", {lesson.family}, command_.practice, 3);
  if (!suite) return std::unexpected(suite.error());
  std::vector<std::string> arguments = budget(0.5 / command_.rounds);
  arguments.insert(arguments.end(), {"--loss", "forward_kl"});
  arguments.insert(arguments.end(), command_.arguments.begin(), command_.arguments.end());
  if (command_.rehearsal > 0) {
    const auto known = rehearsal();
    if (!known) return std::unexpected(known.error());
    arguments.insert(arguments.end(), {"--data", known->string()});
  }
  ProgressBar bar(Terminal::of(stderr));
  auto done = practise(both_,
                       {.questions = questions_of(*suite, false),
                        .rounds = command_.rounds,
                        .concurrency = command_.concurrency,
                        .begin = begin,
                        .full = command_.full,
                        .arguments = std::move(arguments),
                        .folder = command_.folder / begin.name},
                       stop_, [&](double share, const std::string& what) {
                         share < 1 ? bar.update(share, lesson.family + ", " + what) : bar.clear();
                       });
  bar.clear();
  if (!done) return std::unexpected(done.error());
  return std::move(done->trained);
}

Result<std::vector<eval::Outcome>> Bench::outcomes(const policy::Config& config,
                                                   const eval::Suite& suite,
                                                   std::vector<std::string> plans) const {
  auto host = Host::open(config);
  if (!host) return std::unexpected(host.error());
  return measured(**host, suite, {.plans = std::move(plans), .concurrency = command_.concurrency});
}

/// All students of one family at once.
Result<void> Bench::measure(const std::string& family, std::vector<Lesson*> lessons) {
  auto suite = suite_of("test", {family}, command_.tasks);
  if (!suite) return std::unexpected(suite.error());
  auto others = suite_of("test", {}, command_.other_tasks);
  if (!others) return std::unexpected(others.error());
  std::erase_if(others->tasks, [&](const eval::Task& task) { return task.family == family; });
  const std::size_t own = suite->tasks.size();
  std::ranges::move(others->tasks, std::back_inserter(suite->tasks));

  std::vector<Trained> trained;
  std::vector<std::string> plans = {both_.student()};
  for (const Lesson* lesson : lessons) {
    trained.push_back(lesson->trained);
    plans.push_back(both_.name_of(lesson->trained));
  }
  const policy::Config config = both_.config_with(trained);
  auto all = outcomes(config, *suite, plans);
  if (!all) return std::unexpected(all.error());
  eval::Suite of_family = *suite;
  of_family.tasks.resize(own);
  const auto large = outcomes(config, of_family, {both_.teacher()});
  if (!large) return std::unexpected(large.error());
  all->insert(all->end(), large->begin(), large->end());
  for (Lesson* lesson : lessons) {
    lesson->gap = eval::gap_of(*suite, family, *all,
                               {.small = both_.student(),
                                .student = both_.name_of(lesson->trained),
                                .large = both_.teacher()});
  }
  return {};
}

Result<std::vector<Lesson>> Bench::run() {
  std::error_code error;
  fs::create_directories(command_.folder, error);
  if (error) {
    return fail(Errc::storage, command_.folder.string() + ": cannot be made: " + error.message());
  }
  std::vector<Lesson> lessons;
  for (const std::string& family : command_.families) {
    for (const std::string& loss : command_.losses) {
      lessons.push_back({.family = family, .loss = loss});
    }
  }
  {
    const StopOnSignal stop;
    stop_ = stop.token();
    for (Lesson& lesson : lessons) {
      if (auto learned = learn(lesson); !learned) return std::unexpected(learned.error());
    }
  }
  for (const std::string& family : command_.families) {
    std::vector<Lesson*> of_family;
    for (Lesson& lesson : lessons) {
      if (lesson.family == family) of_family.push_back(&lesson);
    }
    if (auto done = measure(family, of_family); !done) return std::unexpected(done.error());
  }
  return lessons;
}

std::string share(std::int64_t right, std::int64_t n) {
  return format_percent(n == 0 ? 0 : static_cast<double>(right) / static_cast<double>(n));
}

void print(const std::vector<Lesson>& lessons) {
  using enum Table::Align;
  Table table({{"family", left},
               {"loss", left},
               {"small"},
               {"student"},
               {"large"},
               {"gap closed"},
               {"others, before"},
               {"after"},
               {"points (95 %)"}});
  for (const Lesson& lesson : lessons) {
    const eval::Gap& gap = lesson.gap;
    const auto closed = gap.closed();
    table.row({lesson.family, lesson.loss, share(gap.small, gap.n), share(gap.student, gap.n),
               share(gap.large, gap.n), closed ? format_percent(*closed) : "-",
               share(gap.others_small, gap.others_n), share(gap.others_student, gap.others_n),
               fmt::format("{:+.1f} ({:+.1f} to {:+.1f})", 100 * gap.others.value,
                           100 * gap.others.low, 100 * gap.others.high)});
  }
  const auto out = Terminal::of(stdout);
  out.write(table.text(out));
}

json::object report_of(const BenchCommand& command, const std::vector<Lesson>& lessons,
                       const std::string& command_line) {
  json::array families;
  double drop = 0;
  for (const Lesson& lesson : lessons) {
    json::object entry{{"name", lesson.family}, {"loss", lesson.loss}};
    for (auto& [key, value] : to_json(lesson.gap)) entry[key] = value;
    json::object training = lesson.training;
    training.erase("curve");
    entry["training"] = std::move(training);
    families.push_back(std::move(entry));
    drop -= lesson.gap.others.value / static_cast<double>(lessons.size());
  }
  return {{"command", command_line},
          {"method", command.full ? "full" : "lora"},
          {"families", std::move(families)},
          {"others_drop", drop}};
}

int bench(const BenchCommand& command, const Invocation& invocation) {
  const auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  auto both = StudentAndTeacher::of(*config, command.student, command.teacher);
  if (!both) return report_error(both.error());
  const auto lessons = Bench(command, *std::move(both)).run();
  if (!lessons) return report_error(lessons.error());
  if (command.json != "-") print(*lessons);
  if (command.json.empty()) return kOk;
  const auto written = write_output(
      command.json, json::serialize(report_of(command, *lessons, invocation.command_line)));
  return written ? int{kOk} : report_error(written.error());
}

}  // namespace

void add_distill_bench(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<BenchCommand>();
  const auto counts = CLI::Range(std::size_t{0}, std::size_t{10'000'000}).description("");
  auto* command = distill.add_subcommand(
      "bench", "How much of what large has over small a few minutes of training bring");
  command->add_option("--student", options->student, "Local model of the configuration")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--teacher", options->teacher, "Model of the configuration")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--families", options->families,
                   "Of the generated suite, each learned by a student of its own")
      ->type_name("NAMES")
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--losses", options->losses,
                   "As of `lichen distill train`, each with a student of its own; on_policy: half "
                   "of the training forward_kl, half on the student's own answers")
      ->type_name("NAMES")
      ->delimiter(',')
      ->capture_default_str();
  command->add_flag("--full", options->full, "Train all weights, not an adapter");
  auto* minutes =
      command->add_option("--minutes", options->minutes, "Of training, for each student")
          ->type_name("N")
          ->check(CLI::PositiveNumber.description(""))
          ->capture_default_str();
  command
      ->add_option("--steps", options->steps,
                   "Of training, in place of minutes: the same tokens for each loss")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""))
      ->excludes(minutes);
  command->add_option("--count", options->count, "Prompts of the family that are learned from")
      ->type_name("N")
      ->check(counts)
      ->capture_default_str();
  command
      ->add_option("--rehearsal", options->rehearsal,
                   "Prompts of all families that the student answers itself and learns again, so "
                   "that nothing is forgotten")
      ->type_name("N")
      ->check(counts)
      ->capture_default_str();
  command->add_option("--rounds", options->rounds, "Of on_policy")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000).description(""))
      ->capture_default_str();
  command->add_option("--practice", options->practice, "Prompts of these rounds")
      ->type_name("N")
      ->check(counts)
      ->capture_default_str();
  command->add_option("--tasks", options->tasks, "That each family is measured on")
      ->type_name("N")
      ->check(counts)
      ->capture_default_str();
  command->add_option("--other-tasks", options->other_tasks, "That all others are measured on")
      ->type_name("N")
      ->check(counts)
      ->capture_default_str();
  add_concurrency(*command, options->concurrency);
  command
      ->add_option("--folder", options->folder,
                   "Keeps captures and students; what is there already is not made again")
      ->type_name("FOLDER")
      ->capture_default_str();
  add_json(*command, options->json);
  command
      ->add_option("arguments", options->arguments,
                   "Behind --: arguments of `lichen distill train`")
      ->type_name("ARGS");
  command->footer(
      "Learns from the train split and is measured on the test split, which ask in other words.\n"
      "\n"
      "Example:\n"
      "  lichen distill bench --families divide,clock --minutes 2 --json gap.json -- --type bf16");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return bench(*options, invocation); };
  });
}

}  // namespace lichen::cli
