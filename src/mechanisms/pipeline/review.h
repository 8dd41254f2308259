// What a reviewer says of a draft, read while it is being said: OK, or edits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/pipeline/edits.h"

namespace lichen::mechanisms {

/// The probability of a reply that begins with "OK", from its tokens and their alternatives. A
/// token that is the beginning of it counts once no further one can tell; blanks do not count.
class OkProbability {
 public:
  /// The next token of the reply.
  void take(const AnswerToken& token);
  /// None: no token has come that tells.
  std::optional<double> value() const;

 private:
  std::string said_;
  double through_ = 1;  // probability of what was said so far
  double ok_ = 0;
  bool told_ = false;
};

struct ReviewOptions {
  double accept = 0.5;  // the least probability of OK with which a draft stands
  bool edits = true;    // whether anything but OK is of use
  /// Stop as soon as OK is said. Else the reply may end by itself, as long as it says no more: to
  /// hang up on an endpoint costs a connection.
  bool hang_up = true;
};

/// Sink of the reviewer's turn. Whoever writes is told that nobody listens once nothing that could
/// follow matters: the verdict is known, or an edit that cannot be carried out. In a draft that has
/// "OK" in it, that may also begin an edit, and then the whole reply is the verdict.
class Review : public Sink {
 public:
  enum class Verdict : std::uint8_t { none, accepted, mended, unsure, useless };

  Review(std::string_view draft, const ReviewOptions& options);

  awaitable<bool> write(Piece piece) override;
  /// The reply has ended by itself; `answer` is all of it.
  void finish(const Answer& answer);

  /// None: the reviewer has failed before it was known.
  Verdict verdict() const { return verdict_; }
  /// "P(OK) 0.731 under accept 0.9"
  const std::string& reason() const { return reason_; }
  /// With the verdict `mended`: the draft with the edits in it, up to the first stop string. How
  /// many tokens a piece has follows from its share of the bytes; a draft of several authors counts
  /// as that of the one who wrote most of it.
  Answer mended(const Answer& draft, const std::vector<std::string>& stops);

 private:
  /// Draws from what has been said so far what can be drawn. `ended`: no more will come.
  void judge(bool ended);
  bool judge_ok(bool ended);
  void carry_out(bool ended);
  void decide(Verdict verdict, std::string reason);

  const ReviewOptions options_;
  const bool first_tokens_tell_;
  Mending mending_;
  OkProbability ok_;
  std::string said_;
  std::int64_t said_tokens_ = 0;
  std::string author_;
  std::size_t tokens_ = 0;  // that `ok_` has taken
  std::size_t read_ = 0;    // bytes of `said_` whose lines have been carried out
  int edits_ = 0;
  Verdict verdict_ = Verdict::none;
  std::string reason_;
};

}  // namespace lichen::mechanisms
