// A training run: steps over examples until its end, with checkpoints and a measure of examples
// that are held out.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/distillation/training/adamw_options.h"
#include "mechanisms/distillation/training/batches.h"
#include "mechanisms/distillation/training/checkpoint.h"
#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/example.h"
#include "mechanisms/distillation/training/loss_options.h"
#include "mechanisms/distillation/training/schedule.h"

namespace lichen::training {

struct TrainerOptions {
  LossOptions loss = {};
  AdamWOptions adamw = {};
  Schedule schedule = {};
  /// The end, whichever comes first; at least one is given. With a time, how far the rate has
  /// fallen goes by the clock, so two runs are not the same to the bit.
  std::int64_t steps = 0;             // 0: no limit
  std::chrono::seconds within = {};   // 0: no limit
  std::int64_t batch_tokens = 2'048;  // with their padding; computed at once
  int accumulate = 1;                 // batches of a step
  std::uint64_t seed = 1;             // of the order

  int measure_every = 50;  // steps between measurements of held-out examples
  int patience = 0;        // measurements without a new best that end the run; 0: none does
  std::filesystem::path checkpoint = {};  // the file, locked by the caller; empty: none is kept
  int checkpoint_every = 100;             // steps
};

/// Where a run stands after a step.
struct Progress {
  const RunState* state = nullptr;
  double share = 0;              // of the run, 0 to 1
  double tokens_per_second = 0;  // since this process began, prompts and padding not counted apart
  double seconds_left = 0;       // by the rate so far
};

enum class RunEnd : std::uint8_t { steps, time, patience };

struct TrainingReport {
  RunState state = {};
  RunEnd end = RunEnd::steps;
  bool resumed = false;
  std::int64_t resumed_at = 0;   // the step it went on from
  double tokens_per_second = 0;  // of this process
};

/// For one thread. All must outlive it.
class Trainer {
 public:
  /// `identity` is kept in checkpoints: what the run is of, beside the options here.
  Trainer(Engine& engine, std::span<const Example> examples, std::span<const Example> held_out,
          TrainerOptions options, boost::json::object identity);

  /// Runs to the end; goes on where the checkpoint's file, if it is there, stands. The engine has
  /// the last weights then, or with held-out examples the best ones.
  /// `cancelled` where `stop` was asked for: after a step, with a checkpoint. `bad_request`: a loss
  /// or gradient that is no number; the weights are those before, the last checkpoint stays.
  /// `overloaded`: memory has ended. `storage`: a checkpoint could not be written.
  Result<TrainingReport> run(const std::function<void(const Progress&)>& progress,
                             std::stop_token stop);

 private:
  Result<TrainingReport> run_steps(const std::function<void(const Progress&)>& progress,
                                   std::stop_token stop);
  Result<bool> resume();
  Result<void> step();
  Result<Measured> measured();
  Result<void> measure();
  Result<void> keep() const;
  double share() const;
  std::optional<RunEnd> ended() const;
  void restore_best();
  Weights weights() const;

  Engine& engine_;
  const std::span<const Example> examples_;
  const std::vector<Batch> held_out_;
  const TrainerOptions options_;
  const boost::json::object identity_;
  BatchOrder order_;
  RunState state_;
};

}  // namespace lichen::training
