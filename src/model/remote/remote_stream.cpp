#include "model/remote/remote_stream.h"

#include <algorithm>
#include <utility>

namespace lichen::model {

namespace {

/// How long a finished answer waits for usage and the end mark, which some endpoints never send.
constexpr std::chrono::milliseconds kAfterFinish{2'000};

}  // namespace

awaitable<RemoteStream::Outcome> RemoteStream::open(OpenAiRequest request) {
  const auto& options = call_.remote().options;
  // An answer that is not streamed has its header when its last token is written.
  const auto patience = streams_ ? options.headers_timeout
                                 : std::max(options.headers_timeout, options.first_token_timeout);
  auto response = co_await call_.send(std::move(request.api), std::move(request.body), patience);
  if (!response) co_return std::unexpected(std::move(response.error()));
  response_ = std::move(*response);
  if (!streams_ || response_->field("Content-Type").starts_with("application/json")) {
    co_return co_await read_whole();
  }
  while (!reply_.started()) {
    auto delta = co_await pull();
    if (!delta) co_return std::unexpected(std::move(delta.error()));
    if (!*delta) break;  // an answer without a word
    held_ = std::move(**delta);
  }
  co_return Outcome{};
}

awaitable<RemoteStream::Next> RemoteStream::next() { return held_ ? take_held() : pull(); }

awaitable<RemoteStream::Next> RemoteStream::take_held() {
  co_return std::exchange(held_, std::nullopt);
}

awaitable<RemoteStream::Next> RemoteStream::pull() {
  while (!over_) {
    auto event = events_.next();
    if (!event) {
      co_return std::unexpected(
          call_.explain(HttpError{HttpFault::too_large, std::move(event.error().detail)}));
    }
    if (!event->has_value()) {
      if (auto more = co_await more_bytes(); !more) co_return std::unexpected(more.error());
    } else if ((*event)->data == "[DONE]") {
      response_->finish();
      over_ = true;
      if (!reply_.answered()) {
        co_return std::unexpected(
            call_.explain(HttpError{HttpFault::protocol, "the stream ended without an answer"}));
      }
    } else {
      auto delta = reply_.add((*event)->data);
      if (!delta) co_return std::unexpected(std::move(delta.error()));
      if (reply_.started() && !reply_.finished()) {
        call_.mark_first_token();
        call_.mark_last_token();
      }
      co_return std::move(*delta);
    }
  }
  if (auto rest = reply_.flush(); !rest.text.empty()) co_return std::move(rest);
  co_return std::nullopt;
}

/// Feeds what comes next; sets `over_` where nothing more is needed.
awaitable<RemoteStream::Outcome> RemoteStream::more_bytes() {
  const auto& options = call_.remote().options;
  if (reply_.finished()) {
    call_.watchdog.phase(Bound::idle, Clock::now() + std::min(options.idle_timeout, kAfterFinish));
  } else if (reply_.started()) {
    call_.watchdog.phase(Bound::idle, Clock::now() + options.idle_timeout);
  } else {
    call_.watchdog.phase(Bound::first_token, call_.attempt_started() + options.first_token_timeout);
  }
  const auto bytes = co_await response_->read();
  if (bytes && !bytes->empty()) {
    events_.feed(*bytes);
    co_return Outcome{};
  }
  const bool turn_over =
      !bytes && bytes.error().fault == HttpFault::bound && bytes.error().bound != Bound::idle;
  over_ = reply_.finished() && !turn_over;
  if (over_) co_return Outcome{};
  if (!bytes) co_return std::unexpected(call_.explain(bytes.error()));
  co_return std::unexpected(
      call_.explain(HttpError{HttpFault::cut, "the stream ended before the answer was finished"}));
}

awaitable<RemoteStream::Outcome> RemoteStream::read_whole() {
  const auto body = co_await response_->read_all(call_.remote().options.idle_timeout);
  if (!body) co_return std::unexpected(call_.explain(body.error()));
  auto delta = reply_.add(*body);
  if (!delta) co_return std::unexpected(std::move(delta.error()));
  if (!reply_.answered()) {
    Failure failure = call_.explain(
        HttpError{HttpFault::protocol, "the endpoint's reply has no choices: " +
                                           quote(*body, call_.upstream().errors.key, kShortQuote)});
    failure.cause = "its reply had no choices";
    co_return std::unexpected(std::move(failure));
  }
  call_.mark_first_token();
  over_ = true;
  // The whole answer is one piece.
  auto rest = reply_.flush();
  delta->text += rest.text;
  delta->tokens = static_cast<int>(reply_.usage() ? reply_.usage()->completion
                                                  : call_.estimate(reply_.bytes()));
  delta->logprobs.insert(delta->logprobs.end(), rest.logprobs.begin(), rest.logprobs.end());
  held_ = std::move(*delta);
  co_return Outcome{};
}

}  // namespace lichen::model
