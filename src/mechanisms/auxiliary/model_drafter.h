// A small model that guesses what a target will write next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mechanisms/auxiliary/acceptance.h"
#include "mechanisms/auxiliary/draft_length.h"
#include "mechanisms/auxiliary/draft_sampler.h"
#include "mechanisms/auxiliary/guess.h"
#include "mechanisms/auxiliary/shared_tokens.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Serves one answer. Opens its session with its first guess, so one that never guesses costs
/// nothing; what the target has written meanwhile, it reads when it guesses again. On its model's
/// lane only; the model, `shared` and the turn must outlive it.
class ModelDrafter {
 public:
  /// `prompt`: in the model's own tokens. `shared`: null where both models have one vocabulary.
  ModelDrafter(model::LocalModel& model, const SharedTokens* shared, std::vector<Token> prompt,
               const Sampling& sampling, Turn& turn)
      : model_(model),
        shared_(shared),
        prompt_(std::move(prompt)),
        sampler_(sampling, shared),
        turn_(turn) {}

  /// It has begun to read along.
  bool reads() const { return session_.has_value(); }
  /// Tokens that it would have to read before its first guess, if that came behind `answer`.
  std::size_t unread(std::span<const Token> answer) const;
  /// Whether its context holds that and some guesses.
  bool has_room(std::size_t answer) const;

  /// What may come after `answer`, which begins as the one before did: one guess, and more while
  /// `length` has them worth their time. None where it knows no token of the target's. Errors:
  /// those of `Session::decode`.
  awaitable<Result<std::vector<Guess>>> guess(std::vector<Token> answer, DraftLength& length,
                                              AnswerAcceptance& acceptance);

  std::int64_t guesses() const { return guesses_; }
  /// For the receipt; none when it had nothing to do.
  std::optional<Step> step() const;

 private:
  Result<void> hear(std::span<const Token> answer);
  std::size_t agreed() const;

  model::LocalModel& model_;
  const SharedTokens* const shared_;
  const std::vector<Token> prompt_;
  DraftSampler sampler_;
  Turn& turn_;
  std::optional<Session> session_;
  std::size_t heard_ = 0;           // tokens of the answer, in the target's vocabulary
  std::vector<Token> answer_ = {};  // the same in the model's own
  std::vector<Token> held_ = {};    // what the session holds behind the prompt
  std::int64_t read_ = 0;           // tokens of the answer that it did not guess
  std::int64_t guesses_ = 0;
};

}  // namespace lichen::mechanisms
