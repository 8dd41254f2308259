// A request in progress: deadline, cancellation, the sink that receives tokens, and the receipt
// that is being written.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen {

template <class T>
using awaitable = boost::asio::awaitable<T>;

using Clock = std::chrono::steady_clock;

struct TokenLogprob {
  std::string text;  // the token's bytes; may be part of a UTF-8 character
  float logprob = 0;
};

/// A token of an answer with its log-probability and, where asked for, the likeliest alternatives.
struct AnswerToken {
  std::string text;
  float logprob = 0;  // natural logarithm, of the model's distribution before sampling filters
  std::vector<TokenLogprob> top = {};
};

/// What a sink receives: a piece of the answer, always whole UTF-8 characters.
struct Piece {
  std::string text;
  std::string model;                       // its author
  int tokens = 0;                          // how many tokens it covers
  std::vector<AnswerToken> logprobs = {};  // filled when the request asked for them
  std::string reasoning = {};              // what the model thinks before the text; none of it
};

/// Receives the answer while it is written. `write` is awaited by whoever generates, on that
/// thread; a slow sink holds back its own turn and no other. False: nobody listens any more.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual awaitable<bool> write(Piece piece) = 0;
};

class Turn;

/// What must agree before anything leaves this device on a turn's behalf. Used by several threads
/// at once.
class EgressCheck {
 public:
  virtual ~EgressCheck() = default;
  /// Asked with each body of a request right before its first byte is sent, on every attempt. Where
  /// it is an error, `refused` with a reason that holds nothing private, nothing is sent.
  virtual Result<void> check(std::string_view body, Turn& turn) = 0;
};

/// Interactive steps go before background ones on every lane.
enum class Priority : std::uint8_t { interactive, background };

/// Thread rule: a turn belongs to one chain of coroutines at a time; work that runs beside it gets
/// a `child`. Only `cancel` and `stop_token` may be used from anywhere.
class Turn {
 public:
  /// `plan` is the name that was asked for; it goes into the receipt.
  explicit Turn(std::string plan, Sink* sink = nullptr);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// A turn for work on this turn's behalf whose text must not reach the sink (a draft that may
  /// be dropped, one of several candidates). It stops when this one stops, has this one's deadline,
  /// priority, freshness, key and egress check, and its own receipt, to be joined with `absorb`. A
  /// mechanism that watches the child's text before it passes it on gives it a sink of its own,
  /// which must outlive the child's work.
  std::unique_ptr<Turn> child(Sink* sink = nullptr);
  /// Adds the child's steps and decisions to this receipt: cost is cost, used or not. Its work for
  /// later becomes this turn's.
  void absorb(const Turn& child);

  /// Work for when the answer is out: it runs in the background on a turn of its own, with a
  /// receipt of its own, and so holds up nobody. It shares ownership of all that it uses. Where
  /// this turn fails it is forgotten.
  using Later = std::function<awaitable<Result<void>>(Turn&)>;
  std::vector<Later> later = {};

  /// Hands a piece to the sink, and its author to the receipt. `cancelled` when nobody listens any
  /// more.
  awaitable<Result<void>> emit(Piece piece);
  bool streams() const { return sink_ != nullptr; }

  /// The id of the receipt that the user sees: this one's, or for a child the outermost turn's.
  const std::string& request_id() const { return request_id_; }

  /// Stops the turn within one step; the first reason wins. Callable from any thread.
  void cancel(Errc reason = Errc::cancelled, std::string detail = "the request was cancelled");
  /// For waiting code: ask it, or hang a std::stop_callback on it.
  std::stop_token stop_token() const { return stop_.get_token(); }
  /// Why the turn must stop now (cancelled or past its deadline), or nothing.
  std::optional<Error> stopped() const;

  /// Told of long work before the first token: what is being done, and how much of it is, 0 to 1.
  /// Called by one thread at a time; may be empty. Children have none.
  std::function<void(std::string_view what, double fraction)> progress = {};

  std::optional<Clock::time_point> deadline = {};
  Priority priority = Priority::interactive;
  /// The answer must be made now: caches are not asked, but learn it.
  bool fresh = false;
  /// Null: everything may leave.
  std::shared_ptr<EgressCheck> egress = {};
  Receipt receipt;
  const Clock::time_point started = Clock::now();

 private:
  void add_shown(const Stretch& shown);

  std::string request_id_;
  Sink* sink_;
  std::stop_source stop_;
  struct Reason;
  std::shared_ptr<Reason> reason_;
  std::optional<std::stop_callback<std::function<void()>>> parent_stop_;
};

}  // namespace lichen
