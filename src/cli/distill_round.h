// One round of `lichen distill watch`: what users asked is asked of a teacher, the model learns it,
// and answers with it from then on if it agrees with the teacher more often.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/distill_promotion.h"
#include "cli/watch_state.h"

namespace lichen::cli {

struct RoundOptions {
  std::string model;       // that learns; keeps versions
  std::string teacher;     // model or plan
  double minutes = 10;     // of training
  double held_out = 0.1;   // share of the prompts that nothing is learned from, in no round
  bool judged = false;     // the teacher says whether answers agree; else they have to be the same
  std::string suite = {};  // further prompts at which it must not get worse; empty: none
  std::optional<std::size_t> suite_count = {};
  Comparison comparison = {};
  std::vector<std::string> arguments = {};  // of `lichen-distill train`, beside those of the round
};

struct Round {
  int number = 0;
  std::size_t prompts = 0;                        // that were recorded
  std::size_t kept = 0;                           // answers of the teacher that were new
  std::size_t learned = 0;                        // examples that were learned from
  std::size_t held_out = 0;                       // prompts that decided
  double minutes = 0;                             // of training, in this process
  std::optional<eval::Promotion> agreement = {};  // right: as the teacher
  std::optional<eval::Promotion> suite = {};
  int version = 0;          // that answers from now on; 0: none was promoted
  std::string reason = {};  // why, or why not
  std::vector<Recalibrated> recalibrated = {};
};

/// The folder in which rounds keep their work, below that of the model's versions.
std::filesystem::path watch_folder(const std::filesystem::path& versions);

/// Plays the round of `state`, which has `begun_with` prompts, to its end, and keeps in `state`,
/// and in its file, what need not be done again. `progress`: 0 to 1, and of what. Errors: those of
/// `collect_into`, `run_trainer`, `compare`; the same call then goes on.
Result<Round> play_round(const std::filesystem::path& config, const RoundOptions& options,
                         WatchState& state, const std::stop_token& stop,
                         const std::function<void(double, const char*)>& progress);

/// "round 3: 412 prompts ..."; one line.
std::string line_of(const Round& round);
boost::json::object json_of(const Round& round);

}  // namespace lichen::cli
