#include "cli/distill_round.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include "base/format.h"
#include "base/sha256.h"
#include "cli/distill_collection.h"
#include "cli/evaluation.h"
#include "cli/trainer_process.h"
#include "eval/checks.h"
#include "mechanisms/distillation/capture.h"
#include "mechanisms/distillation/model_versions.h"

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;
using mechanisms::CaptureFile;
using mechanisms::TeacherQuestion;

struct Files {
  fs::path state, learned, held_out, checkpoint, adapter;
};

Files files_in(const fs::path& folder) {
  return {.state = folder / "state.json",
          .learned = folder / "learned.safetensors",
          .held_out = folder / "held-out.safetensors",
          .checkpoint = folder / "checkpoint",
          .adapter = folder / "adapter.gguf"};
}

/// Where a prompt belongs, in all rounds alike.
bool is_held_out(const TeacherQuestion& question, double share) {
  const std::string key = mechanisms::capture_key(question.messages);
  std::uint32_t bits = 0;
  std::from_chars(key.data(), key.data() + 8, bits, 16);
  return bits < share * std::numeric_limits<std::uint32_t>::max();
}

/// The configuration with the teacher; nothing that it is asked is recorded as a user's.
policy::Config with_teacher(policy::Config config, const std::string& teacher) {
  config.ledger.record.clear();
  config.serve.plan.clear();
  if (std::ranges::find(config.models, teacher, &policy::ModelConfig::name) !=
      config.models.end()) {
    config.plans.clear();
    std::erase_if(config.models, [&](const auto& model) { return model.name != teacher; });
  }
  return config;
}

/// What the teacher said, as what the model is to say.
Result<eval::Suite> suite_of(const CaptureFile& capture, bool judged) {
  const auto check = eval::find_check(judged ? "judge" : "exact");
  if (!check) return std::unexpected(check.error());
  eval::Suite suite{.name = "held-out", .tasks = {}};
  for (std::size_t i = 0; i < capture.examples(); ++i) {
    const auto example = capture.read(i);
    if (!example) return std::unexpected(example.error());
    if (!example->ended) continue;
    suite.tasks.push_back({.id = example->id,
                           .prompt = example->messages.back().content,
                           .reference = example->answer,
                           .check = *check});
  }
  return suite;
}

/// Where the candidate is worse than the rule allows; empty: nowhere.
std::string worse_at(const eval::Promotion& promotion, const eval::PromotionRule& rule) {
  const auto words = [](const std::string& at, const eval::Match& match) {
    return fmt::format("worse at {}: {} of {} right, and {} before", at, match.candidate, match.n,
                       match.incumbent);
  };
  for (const eval::Match& match : promotion.families) {
    if (match.loss() > rule.family_loss) return words(match.family, match);
  }
  return promotion.all.loss() > rule.family_loss ? words("the suite", promotion.all) : "";
}

class Play {
 public:
  Play(const RoundOptions& options, policy::Config config, Files files, WatchState& state,
       const std::stop_token& stop, const std::function<void(double, const char*)>& progress)
      : options_(options),
        config_(std::move(config)),
        files_(std::move(files)),
        state_(state),
        stop_(stop),
        progress_(progress) {
    round_.number = state.round();
    round_.prompts = state.begun_with;
  }

  Result<Round> run() {
    Result<void> done = ask();
    if (done && round_.reason.empty()) done = train();
    if (done && round_.reason.empty()) done = decide();
    if (!done) return std::unexpected(done.error());
    state_ = {.rounds = state_.round(),
              .prompts = state_.begun_with,
              .ended = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count()};
    if (auto saved = save_watch_state(state_, files_.state); !saved) {
      return std::unexpected(saved.error());
    }
    std::error_code ignored;
    fs::remove(files_.adapter, ignored);
    return std::move(round_);
  }

 private:
  /// The teacher's answers into two captures, which grow from round to round.
  Result<void> ask() {
    auto host = Host::open(with_teacher(config_, options_.teacher));
    if (!host) return std::unexpected(host.error());
    auto questions = recorded_questions((*host)->runtime().ledger(), state_.begun_with);
    if (!questions) return std::unexpected(questions.error());
    std::vector<TeacherQuestion> to_learn, held_out;
    for (TeacherQuestion& question : *questions) {
      auto& place = is_held_out(question, options_.held_out) ? held_out : to_learn;
      place.push_back(std::move(question));
    }
    if (to_learn.empty() || held_out.empty()) {
      round_.reason = fmt::format("too few prompts: {} to learn from, {} held out", to_learn.size(),
                                  held_out.size());
      return {};
    }
    auto learned = collected(**host, to_learn, files_.learned, "asking the teacher");
    if (!learned) return std::unexpected(learned.error());
    auto decides = collected(**host, held_out, files_.held_out, "asking what is held out");
    if (!decides) return std::unexpected(decides.error());
    round_.kept = learned->went.kept + decides->went.kept;
    round_.learned = learned->examples;
    with_odds_ = learned->tokens > 0;
    std::error_code ignored;  // a checkpoint is of other data than these
    if (learned->went.kept > 0) fs::remove_all(files_.checkpoint, ignored);
    return {};
  }

  Result<Collection> collected(Host& host, const std::vector<TeacherQuestion>& questions,
                               const fs::path& file, const char* what) {
    return collect_into(host, {.teacher = options_.teacher, .output = file}, questions, stop_,
                        [&](double share) { progress_(share, what); });
  }

  Result<void> train() {
    std::error_code error;
    if (state_.trained && fs::exists(files_.adapter, error)) return {};
    const auto model = model_with_versions(config_, options_.model);
    if (!model) return std::unexpected(model.error());
    std::vector<std::string> arguments = {"--student",    (*model)->gguf.string(),
                                          "--data",       files_.learned.string(),
                                          "--out",        files_.adapter.string(),
                                          "--checkpoint", files_.checkpoint.string(),
                                          "--minutes",    fmt::format("{}", options_.minutes),
                                          "--loss",       with_odds_ ? "forward_kl" : "sft"};
    arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
    const auto started = std::chrono::steady_clock::now();
    const auto trained = run_trainer(arguments, stop_);
    if (!trained && trained.error().code == Errc::upstream) {
      return fail(Errc::bad_request,
                  fmt::format("{}: its own words stand above. Without {} this round's training "
                              "begins anew",
                              trained.error().detail, files_.checkpoint.string()));
    }
    if (!trained) return std::unexpected(trained.error());
    const std::chrono::duration<double, std::ratio<60>> minutes =
        std::chrono::steady_clock::now() - started;
    round_.minutes = minutes.count();
    fs::remove_all(files_.checkpoint, error);
    state_.trained = true;
    return save_watch_state(state_, files_.state);
  }

  Result<void> decide() {
    const auto capture = CaptureFile::open(files_.held_out);
    if (!capture) return std::unexpected(capture.error());
    const auto held_out = suite_of(*capture, options_.judged);
    if (!held_out) return std::unexpected(held_out.error());
    round_.held_out = held_out->tasks.size();
    if (held_out->tasks.empty()) {
      round_.reason = "no answer of the teacher to what is held out has its end";
      return {};
    }
    const Candidate candidate{.model = options_.model, .adapter = files_.adapter};
    Comparison how = options_.comparison;
    if (options_.judged) how.judge = options_.teacher;
    auto agreement = compare(config_, candidate, *held_out, how);
    if (!agreement) return std::unexpected(agreement.error());
    round_.agreement = *std::move(agreement);
    round_.reason = round_.agreement->reason;
    if (!round_.agreement->promoted) return already_answers(candidate);
    if (auto passed = pass_suite(candidate); !passed || !*passed) {
      return passed ? Result<void>() : std::unexpected(passed.error());
    }
    return take_over(candidate);
  }

  Result<bool> pass_suite(const Candidate& candidate) {
    if (options_.suite.empty()) return true;
    const auto suite = load_suite({.suite = options_.suite, .limit = options_.suite_count});
    if (!suite) return std::unexpected(suite.error());
    auto compared = compare(config_, candidate, *suite, options_.comparison);
    if (!compared) return std::unexpected(compared.error());
    round_.suite = *std::move(compared);
    const std::string worse = worse_at(*round_.suite, options_.comparison.rule);
    if (worse.empty()) return true;
    round_.reason = worse;
    return false;
  }

  Result<void> take_over(const Candidate& candidate) {
    auto version = take_up(config_, candidate, round_.reason, true);
    if (!version) {
      round_.reason = version.error().detail;
      return {};
    }
    round_.version = version->number;
    round_.recalibrated = std::move(version->recalibrated);
    return {};
  }

  /// A process that was killed behind the promotion finds the candidate no better than itself.
  Result<void> already_answers(const Candidate& candidate) {
    const auto model = model_with_versions(config_, options_.model);
    if (!model) return std::unexpected(model.error());
    const auto versions = mechanisms::ModelVersions::open((*model)->versions);
    if (!versions) return std::unexpected(versions.error());
    const mechanisms::ModelVersion* current = versions->current();
    if (current == nullptr) return {};
    const auto answers = base::file_identity(current->adapter);
    const auto trained = base::file_identity(candidate.adapter);
    if (!answers || !trained || *answers != *trained) return {};
    round_.version = current->number;
    round_.reason = current->note;
    return {};
  }

  const RoundOptions& options_;
  policy::Config config_;
  const Files files_;
  WatchState& state_;
  const std::stop_token& stop_;
  const std::function<void(double, const char*)>& progress_;
  bool with_odds_ = false;
  Round round_;
};

}  // namespace

fs::path watch_folder(const fs::path& versions) { return versions / "watch"; }

Result<Round> play_round(const fs::path& config, const RoundOptions& options, WatchState& state,
                         const std::stop_token& stop,
                         const std::function<void(double, const char*)>& progress) {
  auto loaded = load_chosen_config(config);
  if (!loaded) return std::unexpected(loaded.error());
  const auto model = model_with_versions(*loaded, options.model);
  if (!model) return std::unexpected(model.error());
  for (policy::ModelConfig& each : loaded->models) {
    // What passes take at this priority is nothing that a server should go by.
    auto* local = std::get_if<model::LocalModelOptions>(&each.options);
    if (local != nullptr) local->times_folder.clear();
  }
  Files files = files_in(watch_folder((*model)->versions));
  return Play(options, *std::move(loaded), std::move(files), state, stop, progress).run();
}

std::string line_of(const Round& round) {
  const auto share = [](std::int64_t right, std::int64_t n) {
    return base::format_percent(static_cast<double>(right) / static_cast<double>(n));
  };
  std::string line = fmt::format("round {}: {} prompts, {} answers new, {} learned from",
                                 round.number, round.prompts, round.kept, round.learned);
  if (round.minutes > 0) line += fmt::format(", trained {:.1f} min", round.minutes);
  if (round.agreement && round.agreement->all.n > 0) {
    const eval::Match& all = round.agreement->all;
    line += fmt::format("; of {} held out {} as the teacher before, {} after", all.n,
                        share(all.incumbent, all.n), share(all.candidate, all.n));
  }
  return line +
         (round.version > 0 ? fmt::format("; version {} answers: ", round.version)
                            : std::string("; not promoted: ")) +
         round.reason;
}

boost::json::object json_of(const Round& round) {
  boost::json::object json{{"round", round.number},
                           {"prompts", round.prompts},
                           {"kept", round.kept},
                           {"learned", round.learned},
                           {"held_out", round.held_out},
                           {"minutes", round.minutes},
                           {"agreement", nullptr},
                           {"suite", nullptr},
                           {"version", nullptr},
                           {"reason", round.reason},
                           {"recalibrated", json_of(round.recalibrated)}};
  if (round.agreement) json["agreement"] = to_json(*round.agreement);
  if (round.suite) json["suite"] = to_json(*round.suite);
  if (round.version > 0) json["version"] = round.version;
  return json;
}

}  // namespace lichen::cli
