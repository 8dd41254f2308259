#include "model/remote/remote_call.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <random>

#include "model/remote/openai_request.h"

namespace lichen::model {

namespace asio = boost::asio;
using std::chrono::duration;
using std::chrono::milliseconds;

namespace {

/// An endpoint that wants a longer pause is left to the plan: another model may answer sooner.
constexpr duration<double> kLongestPause{10};
constexpr milliseconds kErrorBody{5'000};
constexpr std::size_t kMaxErrorBody = 64 * 1024;

double in_ms(Clock::duration time) { return duration<double, std::milli>(time).count(); }

std::string text(milliseconds time) { return std::to_string(time.count()) + " ms"; }

/// Doubles with each attempt; half of it at random, so that turns that failed together do not come
/// back together.
duration<double> backoff(milliseconds base, int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double full = duration<double>(base).count() * std::ldexp(1.0, std::min(attempt, 16));
  return duration<double>(full * std::uniform_real_distribution(0.5, 1.0)(random));
}

}  // namespace

RemoteCall::RemoteCall(const Remote& remote, Turn& turn, std::string role, Traffic traffic,
                       asio::any_io_executor strand)
    : watchdog(std::move(strand), turn.stop_token()),
      remote_(remote),
      turn_(turn),
      role_(std::move(role)),
      traffic_(traffic) {
  begin_step();
  if (turn.deadline) watchdog.limit(Bound::deadline, *turn.deadline);
  end_by(started_ + remote.options.total_timeout);
}

std::unique_ptr<RemoteCall> RemoteCall::beside(const RemoteCall& first) {
  auto call = std::make_unique<RemoteCall>(first.remote_, first.turn_, first.role_, first.traffic_,
                                           first.watchdog.executor());
  call->end_by(first.end_);
  call->attempts_ = first.attempts_;
  call->tried_ = first.tried_;
  call->avoid(first.at_);
  return call;
}

void RemoteCall::end_by(Clock::time_point end) {
  end_ = end;
  watchdog.limit(Bound::total, end);
}

void RemoteCall::begin_step() {
  step = {.model = remote_.name, .role = role_};
  step.remote = true;
  started_ = Clock::now();
  trace_ = {};
  queued_before_ = {};
  first_token_.reset();
  last_token_.reset();
  billed_ = false;
  asked_ = false;
}

std::expected<void, Failure> RemoteCall::choose(std::string_view note) {
  auto picked = remote_.upstreams->pick(traffic_, tried_);
  if (!picked) {
    if (last_failure_) return std::unexpected(*last_failure_);
    Failure none{std::move(picked.error())};
    none.error.detail = "`" + remote_.name + "`: " + none.error.detail;
    return std::unexpected(std::move(none));
  }
  lease_ = *std::move(picked);
  if (last_failure_ && (lease_.index() != at_ || !note.empty())) {
    turn_.receipt.decisions.push_back(
        {.mechanism = remote_.name,
         .choice = remote_.places[lease_.index()].name,
         .reason = upstream().name + ": " + last_failure_->error.detail + std::string(note)});
  }
  at_ = lease_.index();
  return {};
}

awaitable<std::expected<HttpResponse, Failure>> RemoteCall::send(std::string api, std::string body,
                                                                 milliseconds header_timeout) {
  billed_ = false;
  asked_ = true;
  last_status_ = 0;
  if (turn_.egress) {
    const auto said = without_model(body, upstream().model);
    if (auto may = turn_.egress->check(said, turn_); !may) {
      co_return std::unexpected(Failure{std::move(may.error())});
    }
  }
  const Upstream& there = upstream();
  HttpRequest request{.target = there.endpoint.target(api),
                      .fields = there.fields,
                      .body = std::move(body),
                      .headers_timeout = header_timeout,
                      .max_response_bytes = remote_.options.max_response_bytes};
  header_timeout_ = header_timeout;
  trace_.sent = false;
  attempt_asked_ = Clock::now();
  queued_before_ = trace_.queued;
  auto response = co_await there.client->post(std::move(request), watchdog, trace_);
  if (!response) {
    // Waited for in vain, it may have been worked on all the same; broken off, hardly.
    billed_ = trace_.sent && response.error().fault == HttpFault::bound;
    co_return std::unexpected(explain(response.error()));
  }
  const int status = last_status_ = response->status();
  if (status >= 200 && status < 300) {
    billed_ = true;
    co_return std::move(*response);
  }
  watchdog.phase(Bound::idle, Clock::now() + kErrorBody);
  std::string said;
  while (said.size() < kMaxErrorBody) {
    const auto piece = co_await response->read();
    if (!piece || piece->empty()) break;  // the status alone will do
    said.append(*piece);
  }
  watchdog.end_phase();
  if (watchdog.hit() != Bound::none) co_return std::unexpected(explain(watchdog.hit()));
  co_return std::unexpected(read_error(status, said, response->field("Retry-After"), there.errors));
}

awaitable<bool> RemoteCall::may_retry(Failure& failure, bool final) {
  lease_.failed(failure);
  last_failure_ = failure;
  tried_.push_back(at_);
  const int attempt = attempts_++;
  const bool elsewhere = failure.fault != Fault::none && another();
  if (final || attempt >= remote_.options.retries) co_return false;
  if (!failure.retry && !elsewhere) co_return false;
  auto pause = duration<double>(0);
  if (!elsewhere) {
    pause = backoff(remote_.options.retry_backoff, attempt);
    if (failure.error.retry_after_s) {
      pause = std::max(pause, duration<double>(*failure.error.retry_after_s));
    }
    if (pause > kLongestPause) co_return false;
  }
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(pause);
  if (until >= std::min(end_, turn_.deadline.value_or(end_))) co_return false;
  if (!remote_.budget->take(Clock::now())) {
    failure.error.detail += "; not tried again, since too many requests were of late";
    co_return false;
  }
  watchdog.end_phase();  // what was hit there does not count for the next attempt
  if (elsewhere) co_return true;
  asio::steady_timer timer(watchdog.executor(), until);
  watchdog.on_hit([&timer] { timer.expires_at(Clock::time_point::min()); });
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  watchdog.off();
  if (watchdog.hit() == Bound::none) co_return true;
  failure = explain(watchdog.hit());
  co_return false;
}

Failure RemoteCall::explain(const HttpError& error) const {
  if (error.fault == HttpFault::bound) return explain(error.bound);
  const bool retry = error.fault == HttpFault::connect || error.fault == HttpFault::reset ||
                     error.fault == HttpFault::cut;
  std::string hint;
  if (error.fault == HttpFault::tls) {
    hint = "; if its certificate is your own, name your authority's in ca_file";
  }
  const auto fault = error.fault == HttpFault::connect     ? Fault::unreachable
                     : error.fault == HttpFault::too_large ? Fault::none
                                                           : Fault::failed;
  return {{Errc::upstream, "`" + remote_.name + "`: " + error.detail + hint}, retry, fault};
}

Failure RemoteCall::explain(Bound bound) const {
  const auto& options = remote_.options;
  const std::string who = "`" + remote_.name + "`: ";
  switch (bound) {
    case Bound::stopped:
      return {turn_.stopped().value_or(Error{Errc::cancelled, "the request was cancelled"})};
    case Bound::deadline:
      return {{Errc::deadline_exceeded,
               "the request's deadline passed while `" + remote_.name + "` was answering"}};
    case Bound::total:
      return {{Errc::upstream, who + "the endpoint was not done within " +
                                   text(options.total_timeout) + " (total_timeout)"}};
    case Bound::connect:
      return {
          {Errc::upstream, who + "no connection to " + upstream().endpoint.authority + " within " +
                               text(options.connect_timeout) + " (connect_timeout)"},
          true,
          Fault::unreachable};
    case Bound::headers:
      return {{Errc::upstream,
               who + "no response within " + text(header_timeout_) +
                   (header_timeout_ == options.headers_timeout ? " (headers_timeout)"
                                                               : " (first_token_timeout)")},
              false,
              Fault::failed};
    case Bound::first_token:
      return {{Errc::upstream, who + "no token within " + text(options.first_token_timeout) +
                                   " (first_token_timeout)"},
              false,
              Fault::failed};
    case Bound::idle:
      return {{Errc::upstream, who + "the endpoint stopped sending for " +
                                   text(options.idle_timeout) + " (idle_timeout)"},
              false,
              Fault::failed};
    case Bound::none: break;
  }
  return {{Errc::internal, who + "a wait ended for no reason"}};
}

void RemoteCall::stop(bool late) {
  if (late) lease_.late(Clock::now() - attempt_started());
  watchdog.stop();
}

void RemoteCall::mark_first_token() {
  if (first_token_) return;
  first_token_ = last_token_ = Clock::now();
  lease_.answering(*first_token_ - attempt_started());
  if (traffic_ == Traffic::streamed) remote_.first_tokens->add(*first_token_ - attempt_started());
}

void RemoteCall::mark_last_token() { last_token_ = Clock::now(); }

void RemoteCall::settle() {
  if (remote_.places.size() > 1) step.upstream = upstream().name;
  step.bytes_sent = trace_.bytes_sent;
  step.queued_ms = in_ms(trace_.queued);
  const auto first = first_token_.value_or(Clock::now());
  step.prefill_ms = std::max(0.0, in_ms(first - started_) - step.queued_ms);
  if (first_token_) step.decode_ms = in_ms(*last_token_ - *first_token_);
  if (upstream().price) step.usd = upstream().price->usd(step);
  turn_.receipt.steps.push_back(step);
  begin_step();
}

void RemoteCall::settle_as(std::string role) {
  step.role = std::move(role);
  settle();
}

std::int64_t RemoteCall::estimate(std::int64_t bytes) const {
  return static_cast<std::int64_t>(
      std::ceil(static_cast<double>(bytes) / remote_.options.bytes_per_token));
}

}  // namespace lichen::model
