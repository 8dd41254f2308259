// What one model says of the next piece of an answer that several write together, whose only common
// language is bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/turn.h"
#include "mechanisms/fusion/spelling.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// A piece is a token's bytes; the empty one is the answer's end. Serves one answer: hears of its
/// pieces, and looks where it is asked, however many it has heard since. Used by one coroutine.
class PieceVoice {
 public:
  virtual ~PieceVoice() = default;
  /// Reads what it has heard, and looks at what comes next. Fails as its model does; afterwards it
  /// is of no use.
  virtual awaitable<Result<void>> look() = 0;

  // Of the last look.
  /// Whether it has anything to say here.
  virtual bool speaks() const { return true; }
  /// Its likeliest pieces, the likeliest first.
  virtual const std::vector<std::string>& likeliest() const = 0;
  /// -inf: it cannot say this.
  virtual double logprob(std::string_view piece) const = 0;
  /// Of its distribution, in nats.
  virtual double entropy() const = 0;

  /// The answer goes on with this piece, which is not the end.
  virtual void hear(std::string_view piece) = 0;
  /// Whether there is room for what it has heard and one token more.
  virtual bool has_room() const { return true; }
  /// For the receipt, where the model has not written it itself.
  virtual std::optional<Step> step(std::int64_t /*tokens_out*/, std::string /*role*/) const {
    return std::nullopt;
  }
};

/// A local model, on its lane. All must outlive it.
std::unique_ptr<PieceVoice> make_local_voice(model::LocalModel& model, const Spelling& spelling,
                                             std::vector<Token> prompt, int top, Turn& turn);

/// A remote one: each look is a request for one token of the answer that `request` asks for, with
/// the log-probabilities of the likeliest. `model` continues. It has nothing to say within a
/// character. What it does not list is as likely as the least that it does, or as all that they
/// leave over, if that is less; where the answer would end it lists nothing, so that is certain.
std::unique_ptr<PieceVoice> make_remote_voice(Model& model, const Request& request, int top,
                                              Turn& turn);

}  // namespace lichen::mechanisms
