// One call to a remote model on behalf of a turn: where each attempt goes, bounds, retries, faults
// to errors, the steps' times.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/turn.h"
#include "model/remote/endpoint.h"
#include "model/remote/http_client.h"
#include "model/remote/openai_error.h"
#include "model/remote/recent_times.h"
#include "model/remote/retry_budget.h"
#include "model/remote/upstreams.h"
#include "model/remote_model.h"

namespace lichen::model {

/// One place where a model is served. Constant after construction; any thread.
struct Upstream {
  std::string name;   // host and port, unique within the model
  std::string model;  // the endpoint's name for it
  std::optional<Price> price;
  Endpoint endpoint;
  std::string fields;  // header lines of every request, the key's among them
  ErrorContext errors;
  std::unique_ptr<HttpClient> client;
};

/// What all calls of one remote model share. Constant after construction; any thread.
struct Remote {
  std::string name;
  RemoteModelOptions options;
  std::vector<Upstream> places;
  std::shared_ptr<Upstreams> upstreams;  // which of the places, by index
  std::unique_ptr<RetryBudget> budget;
  std::unique_ptr<RecentTimes> first_tokens;  // of streamed answers
};

/// Used by one coroutine on a strand; `remote` and `turn` must outlive it.
class RemoteCall {
 public:
  RemoteCall(const Remote& remote, Turn& turn, std::string role, Traffic traffic,
             boost::asio::any_io_executor strand);
  /// A second attempt beside the present one of `first`, for the same step of the same turn: within
  /// the same time, after as many failures, and elsewhere if it can.
  static std::unique_ptr<RemoteCall> beside(const RemoteCall& first);

  /// Picks the upstream of the next attempt, one that was not tried if it can. Going elsewhere
  /// after a failure is a decision in the receipt, and whatever has a `note`. The failure: see
  /// Upstreams::pick; or that of the attempt before.
  std::expected<void, Failure> choose(std::string_view note = "");
  /// Where the present attempt goes. After `choose`.
  const Upstream& upstream() const { return remote_.places[at_]; }

  /// One attempt: asks the turn's egress check, sends the request and waits for a response with a
  /// status of 2xx, until `header_timeout`. Other statuses are read to their end and become typed
  /// errors.
  awaitable<std::expected<HttpResponse, Failure>> send(std::string api, std::string body,
                                                       std::chrono::milliseconds header_timeout);

  /// Ends the present attempt and waits until the next one may start: not at all where another
  /// upstream can be asked. False when the failure is final, retries or their budget are used up,
  /// or the wait would not fit; its error may then have been replaced by why the wait ended.
  /// `final`: whatever the failure, nothing may follow.
  awaitable<bool> may_retry(Failure& failure, bool final = false);
  /// Ends the present attempt, which went well.
  void succeeded() { lease_.succeeded(); }
  /// Ends the present attempt, whose failure is the upstream's or says nothing about it.
  void failed(const Failure& failure) { lease_.failed(failure); }
  /// Ends the present attempt, since one beside it was first; what it waits for ends with
  /// `stopped`. `late`: though that one was asked later.
  void stop(bool late);
  /// Leaves an upstream to be tried when no other is left.
  void avoid(std::size_t index) { tried_.push_back(index); }
  /// Whether there is an upstream to ask that was not tried.
  bool another() const { return remote_.upstreams->another(tried_); }
  /// Index of the upstream of the present attempt.
  std::size_t at() const { return at_; }

  /// Says in words what a fault below HTTP's status means for the turn.
  Failure explain(const HttpError& error) const;
  Failure explain(Bound bound) const;

  void mark_first_token();
  void mark_last_token();

  /// Adds the step to the turn's receipt, with times, bytes and USD; `step` has its tokens. What
  /// follows is a step of its own.
  void settle();
  void settle_as(std::string role);

  Step step;
  Watchdog watchdog;

  const Remote& remote() const { return remote_; }
  Turn& turn() const { return turn_; }
  /// When the present attempt began, the wait for a connection left out.
  Clock::time_point attempt_started() const {
    return attempt_asked_ + (trace_.queued - queued_before_);
  }
  /// Whether anything was asked since the last step.
  bool asked() const { return asked_; }
  /// Status of the last response; 0 when there was none.
  int last_status() const { return last_status_; }
  /// Whether the endpoint may be working on the request, or has: it is then billed.
  bool may_be_billed() const { return billed_; }
  /// Tokens of that many bytes by the model's declared estimate.
  std::int64_t estimate(std::int64_t bytes) const;

 private:
  void begin_step();
  void end_by(Clock::time_point end);

  const Remote& remote_;
  Turn& turn_;
  const std::string role_;
  const Traffic traffic_;
  Upstreams::Lease lease_;
  std::size_t at_ = 0;
  std::vector<std::size_t> tried_;
  std::optional<Failure> last_failure_;
  int attempts_ = 0;  // that have failed
  HttpTrace trace_;
  Clock::time_point started_ = Clock::now();  // of the present step
  Clock::time_point attempt_asked_ = started_;
  Clock::duration queued_before_ = {};  // of the present step's earlier attempts
  std::optional<Clock::time_point> first_token_;
  std::optional<Clock::time_point> last_token_;
  Clock::time_point end_ = Clock::time_point::max();  // by total_timeout
  std::chrono::milliseconds header_timeout_{0};
  int last_status_ = 0;
  bool billed_ = false;
  bool asked_ = false;
};

}  // namespace lichen::model
