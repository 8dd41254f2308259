#include "model/remote/remote_answer.h"

#include <algorithm>
#include <utility>

#include "model/remote/sse_parser.h"

namespace lichen::model {

namespace {

/// How long a finished answer waits for usage and the end mark, which some endpoints never send.
constexpr std::chrono::milliseconds kAfterFinish{2'000};

}  // namespace

RemoteAnswer::RemoteAnswer(const Remote& remote, Turn& turn, boost::asio::any_io_executor strand)
    : call_(remote, turn, "answer", std::move(strand)), reply_(remote.errors) {}

awaitable<Result<Answer>> RemoteAnswer::run(Request request) {
  const auto& options = call_.remote().options;
  auto written = write_answer_request(request, {.model = options.model,
                                                .stream = call_.turn().streams(),
                                                .max_tokens_field = options.max_tokens_field,
                                                .continues = options.continues,
                                                .returns_reasoning = options.returns_reasoning});
  if (!written) co_return std::unexpected(written.error());
  prompt_bytes_ = prompt_bytes(request);

  for (int tries = 0;; ++tries) {
    auto outcome = co_await attempt(*written);
    if (outcome) break;
    Failure failure = std::move(outcome.error());
    // Once something was written, a second attempt could contradict it.
    failure.retry = failure.retry && !reply_.started();
    if (co_await call_.may_retry(failure, tries)) continue;
    count_tokens();
    call_.settle();
    co_return std::unexpected(std::move(failure.error));
  }
  count_tokens();
  call_.settle();
  co_return finish();
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::attempt(OpenAiRequest request) {
  const auto& options = call_.remote().options;
  const bool stream = call_.turn().streams();
  // An answer that is not streamed has its header when its last token is written.
  const auto patience = stream ? options.headers_timeout
                               : std::max(options.headers_timeout, options.first_token_timeout);
  reply_ = OpenAiReply(call_.remote().errors);
  auto response = co_await call_.send(std::move(request.api), std::move(request.body), patience);
  if (!response) co_return std::unexpected(std::move(response.error()));
  if (stream && !response->field("Content-Type").starts_with("application/json")) {
    co_return co_await read_stream(std::move(*response));
  }
  co_return co_await read_whole(std::move(*response));
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::read_stream(HttpResponse response) {
  const auto& options = call_.remote().options;
  SseParser events(options.max_response_bytes);
  for (;;) {
    if (reply_.finished()) {
      call_.watchdog.phase(Bound::idle,
                           Clock::now() + std::min(options.idle_timeout, kAfterFinish));
    } else if (reply_.started()) {
      call_.watchdog.phase(Bound::idle, Clock::now() + options.idle_timeout);
    } else {
      call_.watchdog.phase(Bound::first_token,
                           call_.attempt_started() + options.first_token_timeout);
    }
    const auto bytes = co_await response.read();
    if (!bytes || bytes->empty()) {
      const bool turn_over =
          !bytes && bytes.error().fault == HttpFault::bound && bytes.error().bound != Bound::idle;
      if (reply_.finished() && !turn_over) co_return co_await emit(reply_.flush());
      if (!bytes) co_return std::unexpected(call_.explain(bytes.error()));
      co_return std::unexpected(call_.explain(
          HttpError{HttpFault::cut, "the stream ended before the answer was finished"}));
    }
    events.feed(*bytes);
    for (;;) {
      auto event = events.next();
      if (!event) {
        co_return std::unexpected(
            call_.explain(HttpError{HttpFault::too_large, std::move(event.error().detail)}));
      }
      if (!event->has_value()) break;
      if ((*event)->data == "[DONE]") {
        response.finish();
        if (reply_.answered()) co_return co_await emit(reply_.flush());
        co_return std::unexpected(
            call_.explain(HttpError{HttpFault::protocol, "the stream ended without an answer"}));
      }
      if (auto taken = co_await take_event((*event)->data); !taken) co_return taken;
    }
  }
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::take_event(std::string_view data) {
  auto delta = reply_.add(data);
  if (!delta) co_return std::unexpected(std::move(delta.error()));
  if (reply_.started() && !reply_.finished()) {
    call_.mark_first_token();
    call_.mark_last_token();
  }
  co_return co_await emit(std::move(*delta));
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::read_whole(HttpResponse response) {
  call_.watchdog.phase(Bound::idle, Clock::now() + call_.remote().options.idle_timeout);
  const auto body = co_await response.read_all();
  if (!body) co_return std::unexpected(call_.explain(body.error()));
  auto delta = reply_.add(*body);
  if (!delta) co_return std::unexpected(std::move(delta.error()));
  if (!reply_.answered()) {
    co_return std::unexpected(call_.explain(
        HttpError{HttpFault::protocol,
                  "the endpoint's reply has no choices: " +
                      quote(std::string_view(*body).substr(0, 80), call_.remote().errors.key)}));
  }
  call_.mark_first_token();
  // The whole answer is one piece.
  auto rest = reply_.flush();
  delta->text += rest.text;
  delta->tokens = static_cast<int>(reply_.usage() ? reply_.usage()->completion
                                                  : call_.estimate(reply_.bytes()));
  delta->logprobs.insert(delta->logprobs.end(), rest.logprobs.begin(), rest.logprobs.end());
  co_return co_await emit(std::move(*delta));
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::emit(Delta delta) {
  if (delta.text.empty() && delta.reasoning.empty()) co_return Outcome{};
  auto emitted = co_await call_.turn().emit({.text = std::move(delta.text),
                                             .model = call_.remote().name,
                                             .tokens = delta.tokens,
                                             .logprobs = std::move(delta.logprobs),
                                             .reasoning = std::move(delta.reasoning)});
  if (!emitted) co_return std::unexpected(Failure{std::move(emitted.error())});
  co_return Outcome{};
}

void RemoteAnswer::count_tokens() {
  Step& step = call_.step;
  if (const auto& usage = reply_.usage()) {
    step.tokens_in = usage->prompt;
    step.tokens_cached = usage->cached;
    step.tokens_out = usage->completion;
    return;
  }
  if (!call_.may_be_billed()) return;
  step.estimated = true;
  step.tokens_in = call_.estimate(prompt_bytes_);
  step.tokens_out = call_.estimate(reply_.bytes());
}

Result<Answer> RemoteAnswer::finish() {
  const auto& name = call_.remote().name;
  if (reply_.filtered()) {
    if (reply_.empty()) {
      return fail(Errc::refused,
                  "`" + name + "`: the endpoint's content filter withheld the answer");
    }
    call_.turn().receipt.decisions.push_back(
        {name, "content_filter", "the endpoint's content filter ended the answer early"});
  }
  Answer answer = reply_.take();
  answer.prompt_tokens = call_.step.tokens_in;
  answer.cached_tokens = call_.step.tokens_cached;
  answer.completion_tokens = call_.step.tokens_out;
  answer.authors = {
      {name, answer.completion_tokens, static_cast<std::int64_t>(answer.text.size())}};
  return answer;
}

}  // namespace lichen::model
