#include "mechanisms/distillation/capture_export.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/file.h"
#include "mechanisms/distillation/capture_form.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::int64_t kNoLabel = -100;  // what PyTorch's cross entropy passes over
constexpr float kLeastHalf = -65'504;    // whose exponential is 0, and which is no infinity

/// Lines into a file that has its name when all of them are in it.
class LineFile {
 public:
  static Result<LineFile> open(const fs::path& file) {
    Result<base::File> out = base::File::open_to_write(file.string() + ".new");
    if (!out) return std::unexpected(out.error());
    if (auto emptied = out->resize(0); !emptied) return std::unexpected(emptied.error());
    return LineFile(file, *std::move(out));
  }

  Result<void> add(std::string_view line) {
    waiting_ += line;
    waiting_ += '\n';
    return waiting_.size() < kMostWaiting ? Result<void>{} : flush();
  }

  Result<void> finish() {
    Result<void> done = flush();
    if (done) done = file_.sync();
    return done ? file_.rename(target_) : done;
  }

 private:
  static constexpr std::size_t kMostWaiting = std::size_t{1} << 20;

  LineFile(fs::path target, base::File file) : target_(std::move(target)), file_(std::move(file)) {}

  Result<void> flush() {
    Result<void> written = file_.write(end_, std::as_bytes(std::span(waiting_)));
    end_ += waiting_.size();
    waiting_.clear();
    return written;
  }

  fs::path target_;
  base::File file_;
  std::string waiting_;
  std::uint64_t end_ = 0;
};

std::unexpected<Error> refused(const CaptureFile& capture, const std::string& what) {
  return fail(Errc::bad_request, capture.path().string() + ": " + what);
}

/// Calls `each` with the examples in their order.
template <class Each>
Result<void> for_examples(const CaptureFile& capture, const ExportProgress& progress, double begin,
                          double end, Each each) {
  const auto all = static_cast<double>(capture.examples());
  for (std::size_t i = 0; i < capture.examples(); ++i) {
    const Result<CapturedExample> example = capture.read(i);
    if (!example) return std::unexpected(example.error());
    if (Result<void> done = each(*example); !done) return done;
    const double share = begin + (end - begin) * static_cast<double>(i + 1) / all;
    if (progress && !progress(share)) return fail(Errc::cancelled, "interrupted");
  }
  return {};
}

struct TokenizedChat {
  std::vector<Token> prompt = {};
  std::vector<Token> answer = {};  // a token for each of the capture's
  std::int64_t length() const { return std::ssize(prompt) + std::ssize(answer); }
};

/// Examples as tokens and rows of odds.
class OddsRows {
 public:
  OddsRows(const model::Tokenizer& tokenizer, PieceTokens tokens, int alternatives)
      : tokenizer_(tokenizer),
        tokens_(std::move(tokens)),
        width_(static_cast<std::size_t>(alternatives)),
        bits_(index_bits(tokenizer.vocabulary->size())) {}

  /// None: the answer is not all there in tokens with odds.
  Result<std::optional<TokenizedChat>> tokenized(const CapturedExample& example) const {
    TokenizedChat chat;
    std::size_t spelled = 0;
    for (const CapturedToken& token : example.tokens) {
      const auto bytes =
          std::string_view(example.answer).substr(token.begin, token.end - token.begin);
      chat.answer.push_back(bytes.empty() ? tokenizer_.end_of_turn : tokens_.of_bytes(bytes));
      if (chat.answer.back() < 0 || token.top.empty()) return std::nullopt;
      spelled += bytes.size();
    }
    if (chat.answer.empty() || spelled != example.answer.size()) return std::nullopt;
    const auto rendered = tokenizer_.chat->render({.messages = example.messages});
    if (!rendered) return std::unexpected(rendered.error());
    auto prompt = tokenizer_.vocabulary->tokenize(rendered->prompt, true);
    if (!prompt) return std::unexpected(prompt.error());
    if (prompt->empty()) return fail(Errc::bad_request, "a prompt without tokens");
    chat.prompt = *std::move(prompt);
    return chat;
  }

  std::string line(const CapturedExample& example, const TokenizedChat& chat,
                   std::int64_t length) const {
    std::vector<Token> ids = chat.prompt;
    ids.insert(ids.end(), chat.answer.begin(), chat.answer.end());
    // Of the answer's tokens each has its row at the one before. Nobody said what follows an answer
    // that was cut off.
    const bool ends = chat.answer.back() == tokenizer_.end_of_turn;
    const std::size_t begin = chat.prompt.size() - 1, end = ends ? ids.size() : ids.size() - 1;
    ids.resize(static_cast<std::size_t>(length), tokenizer_.end_of_turn);
    std::vector<std::int64_t> labels(ids.size(), kNoLabel);
    std::string logprobs, indices;
    const std::vector<std::uint8_t> no_logprobs(2 * width_),
        no_indices((width_ * static_cast<std::size_t>(bits_) + 7) / 8);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      if (t < begin || t >= end) {  // not looked at
        append(logprobs, no_logprobs);
        append(indices, no_indices);
        continue;
      }
      labels[t] = ids[t];
      const Row row = t - begin < example.tokens.size() ? row_of(example.tokens[t - begin])
                                                        : certain(tokenizer_.end_of_turn);
      append(logprobs, bytes_of(row.logprobs));
      append(indices, bit_packed(row.ids, bits_));
    }
    return fmt::format(
        R"({{"input_ids":[{}],"labels":[{}],"compressed_logprobs":[{}],"bytepacked_indices":[{}]}})",
        fmt::join(ids, ","), fmt::join(labels, ","), logprobs, indices);
  }

 private:
  struct Row {
    std::vector<Token> ids = {};
    std::vector<float> logprobs = {};
  };

  Row row_of(const CapturedToken& token) const {
    Row row;
    for (const PieceOdds& odds : token.top) {
      row.ids.push_back(tokens_.of_piece(odds.piece));
      row.logprobs.push_back(std::max(odds.logprob, kLeastHalf));
    }
    return filled(std::move(row));
  }

  Row certain(Token token) const { return filled({.ids = {token}, .logprobs = {0}}); }

  /// Other tokens as good as never, each once: a token that stands twice would count twice.
  Row filled(Row row) const {
    for (Token other = 0; row.ids.size() < width_; ++other) {
      if (std::ranges::find(row.ids, other) == row.ids.end()) row.ids.push_back(other);
    }
    row.logprobs.resize(width_, kLeastHalf);
    return row;
  }

  static std::vector<std::uint8_t> bytes_of(const std::vector<float>& values) {
    std::vector<std::uint8_t> bytes;
    for (const float value : values) {
      const auto half = std::bit_cast<std::uint16_t>(static_cast<capture_form::Half>(value));
      bytes.push_back(static_cast<std::uint8_t>(half & 0xFF));
      bytes.push_back(static_cast<std::uint8_t>(half >> 8));
    }
    return bytes;
  }

  static void append(std::string& list, const std::vector<std::uint8_t>& bytes) {
    fmt::format_to(std::back_inserter(list), "{}[{}]", list.empty() ? "" : ",",
                   fmt::join(bytes, ","));
  }

  const model::Tokenizer& tokenizer_;
  const PieceTokens tokens_;
  const std::size_t width_;
  const int bits_;
};

}  // namespace

Result<ExportedChats> export_chats(const CaptureFile& capture, const fs::path& file,
                                   const ExportProgress& progress) {
  Result<LineFile> out = LineFile::open(file);
  if (!out) return std::unexpected(out.error());
  ExportedChats exported;
  const auto add = [&](const CapturedExample& example) -> Result<void> {
    if (!example.ended) {
      ++exported.cut_off;
      return {};
    }
    json::array messages;
    for (const Message& message : example.messages) {
      messages.push_back(capture_form::json_of_message(message));
    }
    messages.push_back(json::object{{"role", "assistant"}, {"content", example.answer}});
    ++exported.chats;
    return out->add(json::serialize(json::object{{"messages", std::move(messages)}}));
  };
  if (auto done = for_examples(capture, progress, 0, 1, add); !done) {
    return std::unexpected(done.error());
  }
  if (exported.chats == 0) return refused(capture, "no answer has its end");
  if (auto finished = out->finish(); !finished) return std::unexpected(finished.error());
  return exported;
}

Result<PieceTokens> PieceTokens::of(const CaptureFile& capture, const model::Tokenizer& tokenizer) {
  PieceTokens tokens;
  const model::Vocabulary& vocabulary = *tokenizer.vocabulary;
  for (Token token = 0; token < vocabulary.size(); ++token) {
    const std::string_view bytes = vocabulary.piece(token);
    if (bytes.empty()) continue;
    const auto [known, fresh] = tokens.by_bytes_.try_emplace(bytes, token);
    if (fresh) continue;
    // Two tokens of the same bytes, of which one stands for a byte that nothing else can write.
    const auto written = vocabulary.tokenize(bytes, false);
    if (written && written->size() == 1) known->second = written->front();
  }
  std::size_t unknown = 0;
  std::string example;
  for (PieceId piece = 0; piece < capture.pieces(); ++piece) {
    const std::string_view bytes = capture.piece(piece);
    const Token token = piece == kEndPiece ? tokenizer.end_of_turn : tokens.of_bytes(bytes);
    tokens.by_piece_.push_back(token);
    if (token >= 0) continue;
    if (unknown++ == 0) example = json::serialize(json::value(bytes));
  }
  if (unknown == 0) return tokens;
  return refused(
      capture,
      fmt::format(
          "{} of its {} pieces ({:.1f} %), such as {}, are no token of this vocabulary: the "
          "teacher had another one. Give its own GGUF by --tokenizer; a student of another "
          "vocabulary learns from the chats, or here by `lichen distill train`",
          unknown, capture.pieces(),
          100 * static_cast<double>(unknown) / static_cast<double>(capture.pieces()), example));
}

Token PieceTokens::of_bytes(std::string_view bytes) const {
  const auto found = by_bytes_.find(bytes);
  return found == by_bytes_.end() ? -1 : found->second;
}

Result<ExportedOdds> export_odds(const CaptureFile& capture, const model::Tokenizer& tokenizer,
                                 const OddsOptions& options, const fs::path& file,
                                 const ExportProgress& progress) {
  ExportedOdds exported{.vocabulary = tokenizer.vocabulary->size(),
                        .alternatives = capture.info().alternatives};
  if (exported.alternatives == 0 || capture.tokens() == 0) {
    return refused(capture, "its teacher gave no log-probabilities");
  }
  if (exported.alternatives > exported.vocabulary) {
    return refused(capture, fmt::format("it keeps {} alternatives of a token, and this vocabulary "
                                        "has {} tokens",
                                        exported.alternatives, exported.vocabulary));
  }
  auto tokens = PieceTokens::of(capture, tokenizer);
  if (!tokens) return std::unexpected(tokens.error());
  const OddsRows rows(tokenizer, *std::move(tokens), exported.alternatives);

  const auto measure = [&](const CapturedExample& example) -> Result<void> {
    const auto chat = rows.tokenized(example);
    if (!chat) return std::unexpected(chat.error());
    if (!*chat) {
      ++exported.texts_only;
    } else if ((*chat)->length() > options.longest) {
      ++exported.too_long;
    } else {
      exported.length = std::max(exported.length, (*chat)->length());
    }
    return {};
  };
  constexpr double kMeasuring = 0.2;  // of the work
  if (auto done = for_examples(capture, progress, 0, kMeasuring, measure); !done) {
    return std::unexpected(done.error());
  }
  if (exported.length == 0) {
    return refused(capture,
                   fmt::format("no example with odds has at most {} tokens", options.longest));
  }

  Result<LineFile> out = LineFile::open(file);
  if (!out) return std::unexpected(out.error());
  const auto add = [&](const CapturedExample& example) -> Result<void> {
    const auto chat = rows.tokenized(example);
    if (!chat) return std::unexpected(chat.error());
    if (!*chat || (*chat)->length() > options.longest) return {};
    ++exported.rows;
    return out->add(rows.line(example, **chat, exported.length));
  };
  if (auto done = for_examples(capture, progress, kMeasuring, 1, add); !done) {
    return std::unexpected(done.error());
  }
  if (auto finished = out->finish(); !finished) return std::unexpected(finished.error());
  return exported;
}

int index_bits(int vocabulary) {
  return std::max(1, static_cast<int>(std::ceil(std::log2(static_cast<float>(vocabulary)))));
}

std::vector<std::uint8_t> bit_packed(const std::vector<Token>& tokens, int bits) {
  std::vector<std::uint8_t> bytes((tokens.size() * static_cast<std::size_t>(bits) + 7) / 8);
  std::size_t place = 0;
  for (const Token token : tokens) {
    for (int bit = bits - 1; bit >= 0; --bit, ++place) {
      if (((token >> bit) & 1) != 0) {
        bytes[place / 8] |= static_cast<std::uint8_t>(0x80 >> (place % 8));
      }
    }
  }
  return bytes;
}

std::string distillkit_config(const ExportedOdds& odds, const fs::path& data) {
  return fmt::format(
      R"(# For DistillKit (github.com/arcee-ai/DistillKit): distillkit distillkit.yaml
model: STUDENT  # a model of Hugging Face's form, whose tokenizer is the teacher's
output_path: trained
sequence_length: {0}
dataset:
  train_dataset: {{repo_id: {1}, split: train}}
  prepacked: true
teacher:
  kind: dataset
  logprob_compressor:  # how the odds are written
    d: {2}
    k: {3}
    exact_k: {3}
    exact_dtype: float16
    residual_bins: []
    delta_encoding: false
loss_functions:
  - {{function: cross_entropy, weight: 0.5}}
  - {{function: kl, weight: 0.5, temperature: 1.0, missing_probability_handling: symmetric_uniform}}
training_args:
  num_train_epochs: 1
  per_device_train_batch_size: 1
  gradient_accumulation_steps: 8
  learning_rate: 2.0e-6
  remove_unused_columns: false
)",
      odds.length, json::serialize(json::value(data.string())), odds.vocabulary, odds.alternatives);
}

}  // namespace lichen::mechanisms
