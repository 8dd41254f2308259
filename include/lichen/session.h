// The token-level handle on a local model. Mechanisms that work on tokens are plain sequential
// coroutines over sessions; the lane batches the steps of all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lichen/result.h"
#include "lichen/turn.h"

namespace lichen {

using Token = std::int32_t;

struct TokenProb {
  Token token = -1;
  float logprob = 0;  // natural logarithm
};

struct TokenOdds {
  Token token = -1;
  float probability = 0;
};

/// A guess at the next token.
struct Draft {
  Token token = -1;
  /// What `token` was drawn from: each token once, with its probability, 1 in sum. Empty: it was
  /// not drawn, but chosen.
  std::span<const TokenOdds> odds = {};
};

/// Chooses a token from a row of logits and remembers what it chose (penalties, grammar, random
/// state). Owned by the coroutine that decodes; used by the lane while a step of it is in progress.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// `logits`: vocabulary-size values, which may not be written. Returns the chosen token and
  /// accepts it into the sampler's state. An error, such as a grammar that no token can continue,
  /// becomes the step's.
  virtual Result<Token> sample(std::span<const float> logits) = 0;
  /// The same, with each token as probable as there, but so that it is the draft's as often as can
  /// be (Leviathan et al., arXiv 2211.17192, section 2.3). A sampler that draws nothing need not
  /// implement it.
  virtual Result<Token> sample(std::span<const float> logits, const Draft& /*draft*/) {
    return sample(logits);
  }
};

/// What a step is to bring back. The lane computes it from libllama's own buffer, so ask only for
/// what is needed: a full row costs a copy, a log-probability a pass over the row.
struct Want {
  enum class Rows : std::uint8_t {
    none,  // decode only
    last,  // of the last token given
    all,   // of each token given
    /// Of each token given, as long as the model chooses the one that comes next in the input. The
    /// row in which it chose another is the last one, and the session then holds the tokens up to
    /// that row's only.
    agreed,
  };
  Rows rows = Rows::last;
  /// Null: `Row::token` is the argmax. With Rows::all it is applied to the last row only, with
  /// Rows::agreed to each.
  Sampler* sampler = nullptr;
  bool logprob = false;  // of Row::token
  int top_k = 0;         // likeliest tokens with log-probabilities, in falling order
  bool entropy = false;  // of the row's distribution
  bool logits = false;   // the whole row
  bool hidden = false;   // the last hidden state, embedding-width values
  /// With Rows::all: log-probability of the token that came next in the input, for perplexities.
  bool input_logprobs = false;
  /// Other models' steps on this lane wait until none of this kind is left. For short steps of
  /// which a session makes few before it waits for another model: so all who draft come to their
  /// target at the same time, and share its batch.
  bool first = false;
};

/// What one row brought back.
struct Row {
  Token token = -1;
  float logprob = 0;
  float entropy = 0;        // nats
  float input_logprob = 0;  // of the next input token; 0 for the last row
  std::vector<TokenProb> top = {};
  std::vector<float> logits = {};
  std::vector<float> hidden = {};
};

/// Times of a session's steps so far, for the receipt.
struct SessionStats {
  std::int64_t tokens_cached = 0;     // prompt tokens that the prefix cache supplied
  double queued_ms = 0;               // from asking for a step to the start of its batch
  double prefill_ms = 0;              // in batches with tokens of this session's first step
  double decode_ms = 0;               // in batches with tokens of later ones
  std::optional<double> joules = {};  // this session's share, by tokens; none without a counter
};

/// A sequence of tokens in the KV cache of one local model. Use it on its lane's executor only;
/// destroying it frees its KV cells. Must not outlive its model. Movable.
class Session {
 public:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Appends `tokens` and brings back rows as wanted (none, one, or one for each token). The span
  /// must stay valid until it resumes. When KV cells run short the session waits, is preempted and
  /// restored unseen. Errors: `cancelled`, `deadline_exceeded` (checked before each batch),
  /// `context_overflow`; afterwards the session holds what it held before, or a prefix of the new
  /// tokens, as `size` tells.
  awaitable<Result<std::vector<Row>>> decode(std::span<const Token> tokens, Want want = {});

  /// Tokens held.
  int size() const;
  /// Keeps the first `size` tokens and forgets the rest.
  void truncate(int size);
  /// A second session with the same tokens that shares their KV cells.
  Session fork();

  const SessionStats& stats() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace lichen
