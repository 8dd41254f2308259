// One call to an endpoint on behalf of a turn: bounds, retries, faults to errors, the step's times.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/turn.h"
#include "model/remote/endpoint.h"
#include "model/remote/http_client.h"
#include "model/remote/openai_error.h"
#include "model/remote_model.h"

namespace lichen::model {

/// What all calls of one remote model share. Constant after construction; any thread.
struct Remote {
  std::string name;
  RemoteModelOptions options;
  Endpoint endpoint;
  std::string fields;  // header lines of every request, the key's among them
  ErrorContext errors;
  std::unique_ptr<HttpClient> client;
};

/// Used by one coroutine on a strand; `remote` and `turn` must outlive it.
class RemoteCall {
 public:
  RemoteCall(const Remote& remote, Turn& turn, std::string role,
             boost::asio::any_io_executor strand);

  /// One attempt: asks the turn's egress check, sends the request and waits for a response with a
  /// status of 2xx, until `header_timeout`. Other statuses are read to their end and become typed
  /// errors.
  awaitable<std::expected<HttpResponse, Failure>> send(std::string api, std::string body,
                                                       std::chrono::milliseconds header_timeout);

  /// After a failed attempt (0 is the first): waits until the next one may start. False when the
  /// failure is final, retries are used up, or the wait would not fit; its error may then have been
  /// replaced by why the wait ended.
  awaitable<bool> may_retry(Failure& failure, int attempt);

  /// Says in words what a fault below HTTP's status means for the turn.
  Failure explain(const HttpError& error) const;
  Failure explain(Bound bound) const;

  void mark_first_token();
  void mark_last_token();

  /// Adds the step to the turn's receipt, with times, bytes and USD; `step` has its tokens. Once.
  void settle();

  Step step;
  Watchdog watchdog;

  const Remote& remote() const { return remote_; }
  Turn& turn() const { return turn_; }
  /// When the present attempt began, the wait for a connection left out.
  Clock::time_point attempt_started() const { return attempt_started_; }
  /// Status of the last response; 0 when there was none.
  int last_status() const { return last_status_; }
  /// Whether the endpoint may be working on the request, or has: it is then billed.
  bool may_be_billed() const { return billed_; }
  /// Tokens of that many bytes by the model's declared estimate.
  std::int64_t estimate(std::int64_t bytes) const;

 private:
  const Remote& remote_;
  Turn& turn_;
  HttpTrace trace_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point attempt_started_ = started_;
  std::optional<Clock::time_point> first_token_;
  std::optional<Clock::time_point> last_token_;
  Clock::time_point end_of_all_ = Clock::time_point::max();
  std::chrono::milliseconds header_timeout_{0};
  int last_status_ = 0;
  bool billed_ = false;
};

}  // namespace lichen::model
