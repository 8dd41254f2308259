// Where `lichen distill watch` stands, so that it goes on after any end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "lichen/result.h"

namespace lichen::cli {

struct WatchState {
  int rounds = 0;              // that are over
  std::size_t prompts = 0;     // of the ledger's, how many the last one of these knew
  std::int64_t ended = 0;      // when that was over, seconds of Unix time
  std::size_t begun_with = 0;  // prompts of the round that is under way; 0: none is
  bool trained = false;        // of that round: its adapter is written

  bool operator==(const WatchState&) const = default;
  int round() const { return rounds + 1; }  // the one that is under way, or the next
};

/// The state as it was at first where there is no such file. `bad_config`: it is damaged.
Result<WatchState> load_watch_state(const std::filesystem::path& file);
/// In place of what was there, whole or not at all. `storage`.
Result<void> save_watch_state(const WatchState& state, const std::filesystem::path& file);

/// When a round is to begin.
struct WatchTrigger {
  std::size_t records = 0;  // once there are so many new prompts; 0: no number is enough
  std::int64_t every = 0;   // seconds after the last round, if there is a new prompt; 0: never
};

/// Whether one is due, with so many prompts in the ledger, at this Unix time.
bool is_due(const WatchState& state, const WatchTrigger& trigger, std::size_t prompts,
            std::int64_t now);

}  // namespace lichen::cli
