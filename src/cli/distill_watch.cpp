// lichen distill watch: a small model that goes on learning from what its users ask.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "cli/distill_collection.h"
#include "cli/distill_commands.h"
#include "cli/distill_round.h"
#include "cli/find_trainer.h"
#include "cli/ledger_file.h"
#include "cli/low_priority.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "cli/terminal.h"

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBetweenLooks{10};  // at the ledger
constexpr std::chrono::seconds kAfterTrouble{60};

struct WatchCommand {
  RoundOptions round;
  WatchTrigger trigger = {.records = 200};
  bool once = false;
  std::string priority = "idle";
  std::string json;
};

/// Waits, unless it is to stop.
void rest(std::chrono::seconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [&stop] { return stop.stop_requested(); });
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What can never come right by waiting.
bool is_hopeless(const Error& error) {
  return error.code == Errc::bad_config || error.code == Errc::bad_request ||
         error.code == Errc::not_found || error.code == Errc::bad_model;
}

class Watch {
 public:
  Watch(const WatchCommand& command, const Invocation& invocation)
      : command_(command), invocation_(invocation) {}

  int run() {
    if (auto ready = prepare(); !ready) return report_error(ready.error());
    while (!stop_.token().stop_requested()) {
      const auto due = find_round();
      if (!due) return report_error(due.error());
      if (!*due) {
        if (command_.once) return report_error(nothing_recorded());
        rest(kBetweenLooks, stop_.token());
        continue;
      }
      const auto round = play();
      if (!round) {
        if (stop_.token().stop_requested()) break;
        if (command_.once || is_hopeless(round.error())) return report_error(round.error());
        report_error(round.error());
        rest(kAfterTrouble, stop_.token());
        continue;
      }
      if (auto told = tell(*round); !told) return report_error(told.error());
      if (command_.once) return kOk;
    }
    return stopped();
  }

 private:
  Result<void> prepare() {
    if (auto trainer = find_trainer(); !trainer) return std::unexpected(trainer.error());
    auto config = load_chosen_config(invocation_.config);
    if (!config) return std::unexpected(config.error());
    const auto model = model_with_versions(*config, command_.round.model);
    if (!model) return std::unexpected(model.error());
    if (command_.round.model == command_.round.teacher) {
      return fail(Errc::bad_request, "a model cannot teach itself: name a larger one");
    }
    const fs::path folder = watch_folder((*model)->versions);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail(Errc::storage, folder.string() + ": " + error.message());
    auto lock = base::File::open_to_write(folder / "lock");
    if (!lock) return std::unexpected(lock.error());
    if (!lock->lock()) {
      return fail(Errc::overloaded, fmt::format("another `lichen distill watch` is at `{}` ({})",
                                                command_.round.model, folder.string()));
    }
    lock_ = std::make_unique<base::File>(*std::move(lock));
    state_file_ = folder / "state.json";
    auto state = load_watch_state(state_file_);
    if (!state) return std::unexpected(state.error());
    state_ = *state;
    auto ledger = open_ledger(invocation_.config);
    if (!ledger) return std::unexpected(ledger.error());
    ledger_ = *std::move(ledger);
    return {};
  }

  /// Whether there is a round to play; if so, `state_` has it as begun.
  Result<bool> find_round() {
    const auto prompts = prompt_count();
    if (!prompts) return std::unexpected(prompts.error());
    const bool due =
        command_.once ? *prompts > 0 : is_due(state_, command_.trigger, *prompts, unix_now());
    if (!due || state_.begun_with > 0) return due;
    state_.begun_with = *prompts;
    state_.trained = false;
    if (auto saved = save_watch_state(state_, state_file_); !saved) {
      return std::unexpected(saved.error());
    }
    return true;
  }

  /// Each once.
  Result<std::size_t> prompt_count() const {
    const auto questions = recorded_questions(*ledger_, {});
    if (questions) return questions->size();
    if (questions.error().code == Errc::bad_request) return 0;  // there is none yet
    return std::unexpected(questions.error());
  }

  Result<Round> play() {
    ProgressBar bar(Terminal::of(stderr));
    auto round = play_round(invocation_.config, command_.round, state_, stop_.token(),
                            [&bar](double share, const char* what) {
                              if (share < 1) {
                                bar.update(share, what);
                              } else {
                                bar.clear();  // what follows has its own
                              }
                            });
    bar.clear();
    return round;
  }

  Result<void> tell(const Round& round) const {
    if (command_.json != "-") {
      const auto out = Terminal::of(stdout);
      out.write(out.harmless(line_of(round)) + "\n" + recalibrated_text(round.recalibrated));
    }
    if (command_.json.empty()) return {};
    const std::string line = boost::json::serialize(json_of(round));
    if (command_.json == "-") return write_output("-", line);
    std::ofstream file(command_.json, std::ios::app);
    file << line << '\n';
    file.close();
    if (file) return {};
    return fail(Errc::storage, command_.json + " cannot be written");
  }

  Error nothing_recorded() const {
    return {Errc::bad_request,
            "the ledger has no recorded prompt; `ledger: {record: [PLAN]}` in the configuration "
            "records them"};
  }

  int stopped() const {
    if (state_.begun_with == 0) return kOk;
    const auto err = Terminal::of(stderr);
    err.write(
        fmt::format("stopped in round {}; the same command goes on with it\n", state_.round()));
    return command_.once ? kCancelled : kOk;
  }

  const WatchCommand& command_;
  const Invocation& invocation_;
  const StopOnSignal stop_;
  std::unique_ptr<base::File> lock_;
  fs::path state_file_;
  WatchState state_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

int watch(const WatchCommand& command, const Invocation& invocation) {
  // Before there are other threads.
  const std::string priority =
      command.priority == "idle" ? compute_only_when_idle() : "the usual priority";
  const auto err = Terminal::of(stderr);
  err.write(fmt::format("{} learns from {}, at {}\n", err.harmless(command.round.model),
                        err.harmless(command.round.teacher), priority));
  return Watch(command, invocation).run();
}

void add_conditions(CLI::App& command, WatchCommand& options) {
  command
      .add_option("--records", options.trigger.records,
                  "A round begins once so many prompts are new; 0: by --every alone")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, std::size_t{100'000'000}).description(""))
      ->capture_default_str();
  command
      .add_option("--every", options.trigger.every,
                  "Or so long after the last one, if any prompt is new: 30m, 6h, 1d")
      ->type_name("TIME")
      ->transform(
          CLI::AsNumberWithUnit(
              std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}},
              CLI::AsNumberWithUnit::UNIT_REQUIRED)
              .description(""));
  command
      .add_option("--priority", options.priority,
                  "idle: compute only when the machine has nothing else to do; usual: on a machine "
                  "that is there for this")
      ->type_name("WORD")
      ->check(CLI::IsMember({"idle", "usual"}).description(""))
      ->capture_default_str();
  command.add_flag("--once", options.once, "One round with what is recorded, and no more");
}

}  // namespace

void add_distill_watch(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<WatchCommand>();
  auto& round = options->round;
  auto* command = distill.add_subcommand(
      "watch", "Let a model learn from recorded prompts, round by round, in idle time");
  command->add_option("model", round.model, "Model of the configuration, with `versions`")
      ->type_name("MODEL")
      ->required();
  command->add_option("--teacher", round.teacher, "Model or plan of the configuration")
      ->type_name("NAME")
      ->required();
  add_conditions(*command, *options);
  command->add_option("--minutes", round.minutes, "Of training in each round")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""))
      ->capture_default_str();
  command
      ->add_option("--held-out", round.held_out,
                   "Share of the prompts that decide whether it is better, and are never learned")
      ->type_name("SHARE")
      ->check(CLI::Range(0.01, 0.9).description(""))
      ->capture_default_str();
  command->add_flag("--judge", round.judged,
                    "The teacher judges whether answers agree with its own (prompts/judge.txt); "
                    "without it they have to be the same text");
  command
      ->add_option("--suite", round.suite,
                   "Prompts with checkable answers at which it must not get worse, too: test, "
                   "calibration, or a JSONL file")
      ->type_name("SUITE");
  command->add_option("--count", round.suite_count, "At most so many of them")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""));
  command
      ->add_option("--alpha", round.comparison.rule.alpha,
                   "The chance to promote what is not better (exact McNemar test)")
      ->type_name("P")
      ->check(CLI::Range(1e-9, 0.5).description(""))
      ->capture_default_str();
  command
      ->add_option("--family-loss", round.comparison.rule.family_loss,
                   "Share of the suite, or a family of it, by which it may be worse")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  command->add_option("--json", options->json, "Add a line for each round; - is stdout")
      ->type_name("FILE");
  command
      ->add_option("arguments", round.arguments,
                   "Behind --: arguments of `lichen distill train` for each round")
      ->type_name("ARGS");
  command->footer(
      "Needs `ledger: {record: [PLAN]}`. It computes in idle time.\n"
      "Ended in whatever way, the same command goes on where it was.\n"
      "\n"
      "Examples:\n"
      "  lichen distill watch small --teacher large\n"
      "  lichen distill watch small --teacher cloud --records 1000 --every 1d --minutes 60\n"
      "  lichen distill watch small --teacher large --once --minutes 5 -- --lora rank=16");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return watch(*options, invocation); };
  });
}

}  // namespace lichen::cli
