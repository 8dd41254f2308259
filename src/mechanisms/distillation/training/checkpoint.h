// A training run as it stands after a step, in one file: with it the run goes on as if it had not
// been interrupted, to the bit.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "lichen/result.h"
#include "mechanisms/distillation/training/engine.h"

namespace lichen::training {

/// A point of the loss curve.
struct CurvePoint {
  std::int64_t step = 0;
  double loss = 0;                        // mean over the step's tokens
  std::optional<Measured> held_out = {};  // means over tokens, where they were measured
  double learning_rate = 0;
  double gradient_norm = 0;
};

/// Weights that were best on held-out examples, in the order of Engine::trained().
using Weights = std::vector<std::vector<float>>;

/// All of a run's state but the engine's.
struct RunState {
  std::int64_t step = 0;      // steps done
  std::uint64_t batches = 0;  // taken from the order
  std::int64_t tokens = 0;    // computed, prompts among them
  double seconds = 0;         // spent on steps
  std::vector<CurvePoint> curve = {};
  // With held-out examples:
  std::optional<Measured> before = {};  // of the weights that it began with
  std::optional<Measured> best = {};    // of the least loss so far
  std::int64_t best_step = 0;
  int worse = 0;  // measurements since
  Weights best_weights = {};
};

/// Makes this process the one that works on the checkpoint, until what is returned is closed; makes
/// its folder where that is missing. `overloaded`: another process is at it; `storage`: the disk
/// refuses.
Result<base::File> lock_checkpoint(const std::filesystem::path& file);

/// Writes the file whole or not at all. `identity` says what the run is of: student, data, options.
/// `storage` where it cannot.
Result<void> write_checkpoint(const std::filesystem::path& file, const Engine& engine,
                              const RunState& state, const boost::json::object& identity);

/// Puts the values into `engine`. `bad_request` names what of `identity` differs; `bad_model` where
/// the file is damaged.
Result<RunState> read_checkpoint(const std::filesystem::path& file, Engine& engine,
                                 const boost::json::object& identity);

}  // namespace lichen::training
