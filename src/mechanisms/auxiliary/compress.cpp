#include "mechanisms/auxiliary/compress.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <string>
#include <utility>

#include "mechanisms/auxiliary/prompt_compressor.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/whole_number.h"
#include "mechanisms/without_logits.h"

namespace lichen::mechanisms {
namespace {

constexpr std::int64_t kMostTokens = 1'000'000'000;

std::string reason(const Shortened& done, const CompressorOptions& options) {
  const std::string tokens = fmt::format("{} tokens", done.tokens_before);
  if (done.tokens_before < options.from) {
    return fmt::format("{} are fewer than `from`, {}", tokens, options.from);
  }
  if (done.tokens_before <= done.budget) {
    return fmt::format("{} are within the budget of {}", tokens, done.budget);
  }
  std::string text = fmt::format("{} to {}", tokens, done.tokens_after);
  if (options.grain != Grain::words) {
    text += fmt::format("; left out {} of {} sentences", done.sentences_out, done.sentences);
  }
  if (options.grain != Grain::sentences) text += fmt::format("; left out {} words", done.words_out);
  if (done.tokens_after > done.budget) {
    text += fmt::format("; over the budget of {}: the rest must stay", done.budget);
  }
  return text;
}

class Compress : public Answerer {
 public:
  Compress(PromptCompressor compressor, AnswererPtr of, const CompressorOptions& options, bool must)
      : compressor_(std::move(compressor)), of_(std::move(of)), options_(options), must_(must) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (request.prompt) {
      co_return fail(Errc::unsupported,
                     "`compress` shortens the messages of a chat; in a raw prompt it cannot tell a "
                     "template's marks from text: send messages");
    }
    Result<Shortened> done = co_await compressor_.shorten(request, turn);
    if (!done) {
      if (must_ || is_final(done.error(), turn)) co_return std::unexpected(done.error());
      decide(
          turn, "unchanged",
          fmt::format("small failed: {}: {}", to_string(done.error().code), done.error().detail));
      co_return co_await of_->answer(without_fences(std::move(request)), turn);
    }
    const bool shorter = done->tokens_after < done->tokens_before;
    decide(turn, shorter ? "shortened" : "unchanged", reason(*done, options_));
    co_return co_await of_->answer(std::move(done->request), turn);
  }

 private:
  static void decide(Turn& turn, std::string choice, std::string reason) {
    turn.receipt.decisions.push_back(
        {.mechanism = "compress", .choice = std::move(choice), .reason = std::move(reason)});
  }

  const PromptCompressor compressor_;
  const AnswererPtr of_;
  const CompressorOptions options_;
  const bool must_;  // the prompt may not go uncompressed
};

Result<CompressorOptions> read_options(Options& options) {
  constexpr double kLeastRatio = 0.01;
  constexpr std::int64_t kUsualFrom = 256;
  constexpr std::string_view kGrains[] = {"sentences", "words", "both"};
  CompressorOptions read;
  if (options.has("ratio") == options.has("tokens")) {
    return std::unexpected(options.error(
        "",
        "`compress` needs either `ratio`, the share of the prompt's tokens that stays, or "
        "`tokens`, how many stay"));
  }
  if (options.has("ratio")) {
    const Result<double> ratio = options.number("ratio", 1, kLeastRatio, 1);
    if (!ratio) return std::unexpected(ratio.error());
    read.ratio = *ratio;
  } else {
    const auto tokens = whole_number<std::int64_t>(options, "tokens", 1, 1, kMostTokens);
    if (!tokens) return std::unexpected(tokens.error());
    read.tokens = *tokens;
  }
  const auto from = whole_number<std::int64_t>(options, "from", kUsualFrom, 0, kMostTokens);
  if (!from) return std::unexpected(from.error());
  read.from = *from;
  const Result<std::string> grain = options.choice("leave_out", kGrains, kGrains[0]);
  if (!grain) return std::unexpected(grain.error());
  read.grain = *grain == "words" ? Grain::words : *grain == "both" ? Grain::both : Grain::sentences;
  return read;
}

}  // namespace

Result<AnswererPtr> build_compress(Options& options) {
  constexpr std::string_view kOnFailure[] = {"whole", "error"};
  const Result<AnswererPtr> by = options.operand("by");
  if (!by) return std::unexpected(by.error());
  Result<AnswererPtr> of = options.operand("of");
  if (!of) return std::unexpected(of.error());
  const Result<CompressorOptions> read = read_options(options);
  if (!read) return std::unexpected(read.error());
  const Result<std::string> on_failure = options.choice("on_failure", kOnFailure, kOnFailure[0]);
  if (!on_failure) return std::unexpected(on_failure.error());
  const auto* model = dynamic_cast<const Model*>(by->get());
  if (model == nullptr || !model->local()) {
    return std::unexpected(options.error(
        "by",
        "`compress` reads log-probabilities off the model's own pass over the prompt, so `by` "
        "must be a local model (one with `gguf`), not a plan or a remote model"));
  }
  const auto small = std::dynamic_pointer_cast<model::LocalModel>(*by);
  if (small == nullptr) return without_logits("compress", model->name());
  return std::make_shared<Compress>(PromptCompressor(small, *read), *std::move(of), *read,
                                    *on_failure == "error");
}

}  // namespace lichen::mechanisms
