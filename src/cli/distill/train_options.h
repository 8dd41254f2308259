// What `lichen-distill train` is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/distillation/training/trainer.h"
#include "mechanisms/distillation/training/training_method.h"

namespace CLI {
class App;
}

namespace lichen::cli {

struct TrainOptions {
  std::string student;
  std::vector<std::string> data;  // FILE or FILE=WEIGHT
  std::string held_out_data;
  double held_out = 0.05;  // share of the data

  bool full = false;
  std::string lora;  // empty: LoraOptions' own, or those of `from`
  std::string from;  // an adapter that training goes on from; empty: none
  std::string type = "f32";
  std::string loss = "sft";
  training::LossOptions loss_numbers = {};
  double rationale_weight = 0.5;

  double learning_rate = 0;  // 0: the method's own
  training::Schedule schedule = {};
  training::AdamWOptions adamw = {};
  std::int64_t steps = 0;
  double epochs = 0;
  double minutes = 0;
  std::int64_t batch_tokens = 2'048;
  std::int64_t longest = 2'048;
  int accumulate = 1;
  std::uint64_t seed = 1;
  int threads = 0;

  std::string checkpoint;  // folder
  int checkpoint_every = 100;
  int measure_every = 50;
  int patience = 0;

  std::string out;
  std::string name;
  std::string out_type = "same";
  std::string json;
  std::string html;
};

void add_options(CLI::App& command, TrainOptions& options);

/// A file to learn from, and how much each of its tokens counts.
struct DataFile {
  std::string file;
  double weight = 1;
};
/// Of "large.safetensors=0.7"; what follows the last `=` is the weight. `bad_request`: it is no
/// finite number above 0.
Result<DataFile> parse_data(const std::string& text);

/// "rank=8,alpha=16,targets=attn_q+attn_v"; what is left out is as in `otherwise`, targets come in
/// the order of LoraOptions' own. `bad_request` names what is wrong.
Result<training::LoraOptions> parse_lora(const std::string& text,
                                         training::LoraOptions otherwise = {});
/// As `parse_lora` reads it; without the targets where they are all.
std::string lora_text(const training::LoraOptions& lora);

/// `begun`: how the adapter of `--from` is made, where there is one. `bad_request`: `--lora` says
/// something else.
Result<training::TrainingMethod> method_of(const TrainOptions& options,
                                           const std::optional<training::LoraOptions>& begun = {});

/// All but the number of steps, which depends on the data. `bad_request` where something is missing
/// or does not go together.
Result<training::TrainerOptions> trainer_options_of(const TrainOptions& options);

}  // namespace lichen::cli
