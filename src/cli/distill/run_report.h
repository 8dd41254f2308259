// What a run of the trainer says of itself: on the terminal, as JSON, and as a page.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/distill/loss_page.h"
#include "cli/distill/train_options.h"
#include "mechanisms/distillation/training/trainer.h"

namespace lichen::cli {

struct TrainedRun {
  TrainOptions options = {};
  std::string command_line = {};
  std::string architecture = {};
  std::string method = {};      // "full", or how the adapter is made
  std::int64_t parameters = 0;  // of the student
  std::int64_t trained = 0;     // of these, or of the adapter
  std::size_t learned = 0;      // examples
  std::size_t held_out = 0;
  std::int64_t left_out = 0;
  std::uint64_t memory_estimate = 0;     // bytes
  training::TrainingReport report = {};  // of at least one step
};

/// Some lines for the terminal.
std::string summary(const TrainedRun& run);
boost::json::object to_json(const TrainedRun& run);
LossPage page_of(const TrainedRun& run);

}  // namespace lichen::cli
