// One answer that a target writes from a drafter's guesses and its own choices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/auxiliary/acceptance.h"
#include "mechanisms/auxiliary/copy_drafter.h"
#include "mechanisms/auxiliary/draft_length.h"
#include "mechanisms/auxiliary/model_drafter.h"
#include "mechanisms/auxiliary/shared_tokens.h"
#include "model/answer_writer.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Who takes part, and what their answers so far have taught. What it has learned is the lane's.
struct SpeculatePlan {
  std::shared_ptr<model::LocalModel> target;
  std::shared_ptr<model::LocalModel> drafter = {};  // null: only copies
  std::unique_ptr<const SharedTokens> shared = {};  // null: one vocabulary, or no drafter
  bool copies = true;                               // guesses from the prompt and the answer, too
  std::size_t longest = 16;                         // guesses in a round at most
  std::optional<std::size_t> fixed = {};            // guesses in each round, whatever they cost

  Acceptance of_drafter = {};
  Acceptance of_copies = {};
  double answers = 1;         // that `answer_tokens` stands for; the first guess counts as one
  double answer_tokens = 64;  // in a typical answer
  double rounds_ms = 0;       // spent on rounds of all answers
  double trials_ms = 0;       // of these, on guesses that did not seem worth it

  /// Where several answers are written at once, all have equally many guesses in a round: libllama
  /// computes sequences with cells of their own in one pass only where they have equally many
  /// tokens.
  struct Common {
    std::size_t guesses = 0;
    std::uint64_t until = 0;    // the target's pass
    std::uint64_t numbers = 0;  // there have been
  } common = {};
};

/// On the lane. The plan and the turn must outlive it.
class Speculation {
 public:
  /// `draft_prompt`: in the drafter's tokens; none where it takes no part.
  Speculation(SpeculatePlan& plan, model::PreparedRequest job,
              std::optional<std::vector<Token>> draft_prompt, Turn& turn);

  awaitable<Result<Answer>> answer();

 private:
  enum class By : std::uint8_t { drafter, copies };
  struct Round {
    By by = By::copies;
    std::vector<Guess> guesses = {};  // to be checked; none: the target goes on alone
    std::size_t tokens = 0;           // that the target's pass has at least
  };

  awaitable<Result<void>> write();
  awaitable<Result<Round>> next_round();
  std::size_t common_guesses(bool drafts);
  awaitable<Result<Round>> even_round(std::size_t guesses, bool drafts);
  awaitable<Result<Round>> ask_drafter(DraftLength length);
  Round copy(const CopyDrafter::Match& match, std::size_t most, bool all);
  awaitable<Result<std::vector<Row>>> check(const Round& round);
  void learn(const Round& round, std::size_t accepted);
  void count(const Round& round, std::int64_t accepted);
  awaitable<Result<bool>> add(std::vector<Row> rows);

  std::size_t free_cells() const;
  std::size_t most_guesses() const;
  DraftCosts costs(By by) const;
  double unread_ms() const;
  bool pays_to_read(double plain, double rate) const;
  bool pays_to_read_for(std::size_t guesses) const;
  bool may_try(double ms);
  AnswerAcceptance& acceptance(By by) { return by == By::drafter ? of_drafter_ : of_copies_; }
  void write_receipt(std::int64_t tokens);

  SpeculatePlan& plan_;
  const model::PreparedRequest job_;
  Turn& turn_;
  Session session_;
  model::AnswerWriter writer_;
  std::optional<ModelDrafter> drafter_;
  std::optional<Error> drafter_error_ = {};  // it has given up
  CopyDrafter copies_;
  AnswerAcceptance of_drafter_;
  AnswerAcceptance of_copies_;
  std::vector<Token> tokens_ = {};  // of the answer
  DraftCount by_drafter_;
  DraftCount by_copies_;
};

}  // namespace lichen::mechanisms
