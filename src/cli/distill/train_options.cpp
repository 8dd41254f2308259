#include "cli/distill/train_options.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "mechanisms/distillation/training/loss_names.h"
#include "mechanisms/distillation/training/student_file.h"

namespace lichen::cli {

namespace {

constexpr double kLoraRate = 1e-3, kFullRate = 2e-4;

/// The part before `mark`, which goes from `text`.
std::string_view next_part(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return part;
}

template <class T>
bool parse_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// In the order of LoraOptions' own, each once.
Result<std::vector<std::string>> parse_targets(std::string_view text) {
  std::vector<std::string> targets = training::LoraOptions().targets;
  std::vector<std::string_view> named;
  while (!text.empty()) {
    const std::string_view target = next_part(text, '+');
    if (std::ranges::find(targets, target) == targets.end()) {
      return fail(Errc::bad_request, fmt::format("--lora: no target '{}'; there are {}", target,
                                                 fmt::join(targets, ", ")));
    }
    named.push_back(target);
  }
  std::erase_if(targets, [&named](const std::string& target) {
    return std::ranges::find(named, target) == named.end();
  });
  return targets;
}

std::string loss_list() {
  std::string text = "What is learned:\n";
  for (const training::LossFacts& loss : training::losses()) {
    text += fmt::format("  {:<16} {}\n", loss.name, loss.summary);
  }
  return text;
}

void add_method(CLI::App& command, TrainOptions& options) {
  auto* full = command.add_flag("--full", options.full, "Train all weights, not an adapter");
  command
      .add_option("--lora", options.lora,
                  fmt::format("The adapter: rank, alpha and, joined by +, targets (attn_q, attn_k, "
                              "attn_v, attn_output, ffn_gate, ffn_up, ffn_down) [{}]",
                              lora_text({})))
      ->type_name("RANK")
      ->excludes(full);
  command.add_option("--from", options.from, "An adapter of the student to go on from")
      ->type_name("GGUF")
      ->excludes(full);
  command.add_option("--type", options.type, "What is computed in: f32 or bf16")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"f32", "bf16"}).description(""))
      ->capture_default_str();
  command.add_option("--loss", options.loss, "See below")->type_name("NAME")->capture_default_str();
  command.add_option("--beta", options.loss_numbers.beta, "Of jsd: the teacher's share")
      ->type_name("SHARE")
      ->capture_default_str();
  command.add_option("--skew", options.loss_numbers.skew, "Of skew_kl and skew_reverse_kl")
      ->type_name("SHARE")
      ->capture_default_str();
  command.add_option("--hard", options.loss_numbers.hard, "Share of sft beside another loss")
      ->type_name("SHARE")
      ->capture_default_str();
  command
      .add_option("--rationale-weight", options.rationale_weight,
                  "Of rationales beside answers; 0: none is learned")
      ->type_name("WEIGHT")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
}

void add_schedule(CLI::App& command, TrainOptions& options) {
  command.add_option("--steps", options.steps, "End after so many steps")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command.add_option("--epochs", options.epochs, "End after the data has been seen so often")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command.add_option("--minutes", options.minutes, "End after this time")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command
      .add_option(
          "--learning-rate", options.learning_rate,
          fmt::format("At its greatest; {} for an adapter, {} for --full", kLoraRate, kFullRate))
      ->type_name("RATE")
      ->check(CLI::PositiveNumber.description(""));
  command.add_option("--warmup", options.schedule.warmup, "Share of the run in which it rises")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  command
      .add_option("--final-rate", options.schedule.final_share,
                  "What is left of it at the end, as a share")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  command.add_option("--weight-decay", options.adamw.weight_decay, "Of matrices")
      ->type_name("X")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  command.add_option("--clip", options.adamw.clip, "Greatest norm of a gradient; 0: any")
      ->type_name("X")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  command.add_option("--batch-tokens", options.batch_tokens, "Tokens that are computed together")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 24).description(""))
      ->capture_default_str();
  command.add_option("--accumulate", options.accumulate, "Such batches in one step")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 16).description(""))
      ->capture_default_str();
  command
      .add_option("--longest", options.longest, "Tokens of an example; longer ones are left out")
      ->type_name("N")
      ->check(CLI::Range(2, 1 << 20).description(""))
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Of the order and of an adapter's start")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Computing threads; 0: one for each core")
      ->type_name("N")
      ->check(CLI::Range(0, 1'024).description(""))
      ->capture_default_str();
}

void add_keeping(CLI::App& command, TrainOptions& options) {
  command
      .add_option("--held-out", options.held_out,
                  "Share of the data that the loss is measured on and nothing is learned from")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 0.5).description(""))
      ->capture_default_str();
  command.add_option("--held-out-data", options.held_out_data, "A file of its own for that")
      ->type_name("FILE");
  command.add_option("--measure-every", options.measure_every, "Steps between two measurements")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""))
      ->capture_default_str();
  command
      .add_option("--patience", options.patience,
                  "End after so many measurements without a new best; 0: never")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 30).description(""))
      ->capture_default_str();
  command
      .add_option("--checkpoint", options.checkpoint,
                  "Folder to go on from, should the run be interrupted")
      ->type_name("FOLDER");
  command.add_option("--checkpoint-every", options.checkpoint_every, "Steps between two")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""))
      ->capture_default_str();
}

}  // namespace

void add_options(CLI::App& command, TrainOptions& options) {
  command.add_option("--student", options.student, "The model to be trained")
      ->type_name("GGUF")
      ->required();
  command
      .add_option(
          "--data", options.data,
          "What it learns: a capture (.safetensors), or JSON lines with messages, or prompt "
          "and reference; of several teachers each with its weight")
      ->type_name("FILE[=WEIGHT]")
      ->required();
  command.add_option("-o,--out", options.out, "The adapter, or with --full the student")
      ->type_name("GGUF")
      ->required();
  add_method(command, options);
  add_schedule(command, options);
  add_keeping(command, options);
  command
      .add_option(
          "--out-type", options.out_type,
          "With --full, the type of matrices: same (each as it was), f32, f16, q8_0, q4_K...")
      ->type_name("TYPE")
      ->capture_default_str();
  command.add_option("--name", options.name, "The result's name; its file's without this")
      ->type_name("NAME");
  command.add_option("--json", options.json, "Write what was done as JSON; - is stdout")
      ->type_name("FILE");
  command.add_option("--html", options.html, "Write a page with the loss curve")->type_name("FILE");
  command.footer(
      loss_list() +
      "All but sft need a teacher's probabilities in the data.\n\n"
      "Students can be " +
      training::trainable_architectures() +
      "; docs/distillation.md has what each\n"
      "option does and what was measured.\n\n"
      "Examples:\n"
      "  lichen-distill train --student small.gguf --data chats.jsonl --epochs 2 -o adapter.gguf\n"
      "  lichen-distill train --student small.gguf --data chats.jsonl --full --type bf16 \\\n"
      "      --minutes 30 --checkpoint run --html run.html -o tuned.gguf\n"
      "  lichen-distill train --student small.gguf --data large.safetensors=0.7 \\\n"
      "      --data other.safetensors=0.3 --loss forward_kl --epochs 2 -o adapter.gguf\n"
      "  lichen-distill train --student small.gguf --from adapter.gguf --data more.jsonl \\\n"
      "      --epochs 1 -o adapter-2.gguf");
}

Result<DataFile> parse_data(const std::string& text) {
  const std::size_t mark = text.rfind('=');
  if (mark == text.npos) return DataFile{.file = text};
  DataFile data{.file = text.substr(0, mark)};
  // A weight that is 0 as a float would be none.
  if (!parse_number(std::string_view(text).substr(mark + 1), data.weight) ||
      !(static_cast<float>(data.weight) > 0) || !std::isfinite(static_cast<float>(data.weight))) {
    return fail(Errc::bad_request,
                fmt::format("--data {}: the weight behind = must be a number above 0; of a file "
                            "whose name has a =, give the weight too: {}=1",
                            text, text));
  }
  return data;
}

Result<training::LoraOptions> parse_lora(const std::string& text, training::LoraOptions otherwise) {
  training::LoraOptions lora = std::move(otherwise);
  const auto bad = [](const std::string& why) {
    return fail(Errc::bad_request,
                "--lora: " + why + "; say rank=8,alpha=16,targets=attn_q+attn_v");
  };
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view value = next_part(rest, ',');
    const std::string_view key = next_part(value, '=');
    if (key == "rank") {
      if (!parse_number(value, lora.rank) || lora.rank < 1 || lora.rank > 4'096) {
        return bad("rank must be a whole number from 1 to 4096");
      }
    } else if (key == "alpha") {
      // libllama takes 0 for "as large as the rank".
      if (!parse_number(value, lora.alpha) || !(lora.alpha > 0) || !std::isfinite(lora.alpha)) {
        return bad("alpha must be a number above 0");
      }
    } else if (key == "targets") {
      auto targets = parse_targets(value);
      if (!targets) return std::unexpected(targets.error());
      lora.targets = *std::move(targets);
    } else {
      return bad("no key '" + std::string(key) + "'");
    }
  }
  if (lora.targets.empty()) return bad("no targets");
  return lora;
}

std::string lora_text(const training::LoraOptions& lora) {
  const bool all = lora.targets == training::LoraOptions().targets;
  return fmt::format("rank={},alpha={}{}", lora.rank, lora.alpha,
                     all ? "" : fmt::format(",targets={}", fmt::join(lora.targets, "+")));
}

Result<training::TrainingMethod> method_of(const TrainOptions& options,
                                           const std::optional<training::LoraOptions>& begun) {
  auto lora = parse_lora(options.lora, begun.value_or(training::LoraOptions{}));
  if (!lora) return std::unexpected(lora.error());
  if (begun && *lora != *begun) {
    return fail(Errc::bad_request,
                fmt::format("--lora {} cannot be had from {}, which is {}; leave --lora out, or "
                            "begin without --from",
                            options.lora, options.from, lora_text(*begun)));
  }
  return training::TrainingMethod{.full = options.full,
                                  .lora = *std::move(lora),
                                  .bf16 = options.type == "bf16",
                                  .seed = options.seed};
}

Result<training::TrainerOptions> trainer_options_of(const TrainOptions& options) {
  if (options.steps == 0 && options.epochs == 0 && options.minutes == 0) {
    return fail(Errc::bad_request, "no end is given: say --steps, --epochs or --minutes");
  }
  if (options.steps > 0 && options.epochs > 0) {
    return fail(Errc::bad_request, "--steps and --epochs are two ends; give one of them");
  }
  const auto kind = training::loss_named(options.loss);
  if (!kind) return std::unexpected(kind.error());
  training::TrainerOptions chosen{
      .loss = options.loss_numbers,
      .adamw = options.adamw,
      .schedule = options.schedule,
      .steps = options.steps,
      .within = std::chrono::seconds(std::llround(options.minutes * 60)),
      .batch_tokens = options.batch_tokens,
      .accumulate = options.accumulate,
      .seed = options.seed,
      .measure_every = options.measure_every,
      .patience = options.patience,
      .checkpoint_every = options.checkpoint_every};
  chosen.loss.kind = *kind;
  if (auto checked = training::check(chosen.loss); !checked) {
    return std::unexpected(checked.error());
  }
  chosen.schedule.learning_rate = options.learning_rate;
  if (options.learning_rate == 0)
    chosen.schedule.learning_rate = options.full ? kFullRate : kLoraRate;
  if (!options.checkpoint.empty()) {
    chosen.checkpoint = std::filesystem::path(options.checkpoint) / "checkpoint.gguf";
  }
  return chosen;
}

}  // namespace lichen::cli
