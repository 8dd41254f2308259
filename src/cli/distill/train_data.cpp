#include "cli/distill/train_data.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/distillation/training/batches.h"
#include "mechanisms/distillation/training/capture_examples.h"
#include "mechanisms/distillation/training/chat_examples.h"
#include "mechanisms/distillation/training/loss_names.h"

namespace lichen::cli {
namespace {

using training::ChatExamples;
using training::ChatOptions;
using training::Example;
using training::LossKind;
using training::TeacherOdds;

TeacherOdds odds_for(LossKind loss) {
  if (loss == LossKind::sft) return TeacherOdds::none;
  return loss == LossKind::uld ? TeacherOdds::sorted : TeacherOdds::pieces;
}

/// A capture, which holds a teacher's odds, or chats.
Result<ChatExamples> load_examples(const std::string& file, const model::Tokenizer& tokenizer,
                                   const ChatOptions& options, LossKind loss) {
  const TeacherOdds odds = odds_for(loss);
  const auto lacks = [&](const char* what) {
    return fail(Errc::bad_request, file + ": " + what + ", which --loss " +
                                       std::string(training::name_of(loss)) +
                                       " needs; take --loss sft, or leave this file out");
  };
  if (!file.ends_with(".safetensors")) {
    if (odds != TeacherOdds::none) return lacks("texts alone have no teacher's probabilities");
    return load_chats(file, tokenizer, options);
  }
  const auto capture = mechanisms::CaptureFile::open(file);
  if (!capture) return std::unexpected(capture.error());
  auto read = read_capture(*capture, tokenizer, options, odds);
  if (!read) return std::unexpected(read.error());
  if (odds != TeacherOdds::none && read->with_odds == 0) {
    return lacks("its teacher gave no log-probabilities");
  }
  return std::move(read->chats);
}

/// Reads file after file and keeps what tells them from others.
class Loader {
 public:
  Loader(model::Tokenizer tokenizer, const ChatOptions& chat, LossKind loss)
      : tokenizer_(std::move(tokenizer)), chat_(chat), loss_(loss) {}

  Result<void> load(const DataFile& data, std::vector<Example>& into) {
    const auto& [file, weight] = data;
    auto read = load_examples(file, tokenizer_, chat_, loss_);
    if (!read) return std::unexpected(read.error());
    const auto identity = base::file_identity(file);
    if (!identity) return std::unexpected(identity.error());
    identities_ += fmt::format("{}={} ", *identity, weight);
    left_out_ += read->left_out;
    for (Example& example : read->examples) {
      example.weight = static_cast<float>(example.weight * weight);
      if (!(example.weight > 0) || !std::isfinite(example.weight)) {
        return fail(Errc::bad_request, file +
                                           ": an example's weight, with the file's, is no "
                                           "number above 0; take less extreme ones");
      }
      into.push_back(std::move(example));
    }
    return {};
  }
  std::string identity() const { return base::sha256_hex(identities_); }
  std::int64_t left_out() const { return left_out_; }

 private:
  const model::Tokenizer tokenizer_;
  const ChatOptions chat_;
  const LossKind loss_;
  std::string identities_;
  std::int64_t left_out_ = 0;
};

}  // namespace

Result<TrainData> load_train_data(const TrainOptions& options, const training::StudentShape& shape,
                                  LossKind loss) {
  auto tokenizer = model::open_tokenizer(options.student);
  if (!tokenizer) return std::unexpected(tokenizer.error());
  Loader loader(*std::move(tokenizer),
                {.longest = std::min(options.longest, shape.context),
                 .rationale_weight = options.rationale_weight},
                loss);
  TrainData data;
  std::vector<Example> all;
  for (const std::string& text : options.data) {
    const auto file = parse_data(text);
    if (!file) return std::unexpected(file.error());
    if (auto done = loader.load(*file, all); !done) return std::unexpected(done.error());
  }
  std::size_t held = 0;
  if (options.held_out_data.empty()) {
    held =
        static_cast<std::size_t>(std::llround(options.held_out * static_cast<double>(all.size())));
  } else if (auto done = loader.load({options.held_out_data}, data.held_out); !done) {
    return std::unexpected(done.error());
  }
  const auto order = training::shuffled(all.size(), options.seed);
  for (std::size_t i = 0; i < order.size(); ++i) {
    (i < held ? data.held_out : data.learned).push_back(std::move(all[order[i]]));
  }
  if (data.learned.empty()) return fail(Errc::bad_request, "nothing is left to learn from");
  data.left_out = loader.left_out();
  data.identity = loader.identity();
  return data;
}

}  // namespace lichen::cli
