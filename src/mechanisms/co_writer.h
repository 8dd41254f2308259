// One local model's part in an answer that several models write in turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lichen/session.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

class CoWriter;

/// The tokens of such an answer.
struct SharedAnswer {
  std::vector<Token> tokens = {};
  std::vector<const CoWriter*> authors = {};  // of each token; null: none of the co-writers

  void add(Token token, const CoWriter* author) {
    tokens.push_back(token);
    authors.push_back(author);
  }
};

/// Opens its session with its first step, so one that is never needed costs nothing. On its model's
/// lane only; the model, the turn and the answer must outlive it.
class CoWriter {
 public:
  CoWriter(model::LocalModel& model, std::vector<Token> prompt, const SharedAnswer& answer,
           Turn& turn)
      : model_(model), prompt_(std::move(prompt)), answer_(answer), turn_(turn) {}

  const std::string& name() const { return model_.name(); }
  std::int64_t prompt_tokens() const { return static_cast<std::int64_t>(prompt_.size()); }

  /// Reads in one step what it has not read of the answer but for the last `leave` tokens, the
  /// prompt before the first, and brings back rows as wanted; none where there is nothing to read.
  /// Errors: those of `Session::decode`.
  awaitable<Result<std::vector<Row>>> read(Want want, std::size_t leave = 0);
  /// Reads all of it and brings back the row behind the last token, of which one at least must be
  /// new to it.
  awaitable<Result<Row>> next(Want want);

  std::int64_t cached_tokens() const { return session_ ? session_->stats().tokens_cached : 0; }
  /// For the receipt: `tokens_in` is the prompt and what it read of the others' tokens. None when
  /// it had nothing to do.
  std::optional<Step> step(std::int64_t tokens_out, std::string role = "answer") const;

 private:
  model::LocalModel& model_;
  const std::vector<Token> prompt_;
  const SharedAnswer& answer_;
  Turn& turn_;
  std::optional<Session> session_;
  std::size_t read_ = 0;    // tokens of the answer
  std::int64_t heard_ = 0;  // of these, others' tokens
};

}  // namespace lichen::mechanisms
