#include "mechanisms/scripted_model.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>

namespace lichen::mechanisms {
namespace asio = boost::asio;
namespace {

/// "one two " -> "one", " two", " ": put together again they are the text.
std::vector<std::string> words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t word = std::min(text.find_first_not_of(kSpace), text.size());
    const std::size_t end = std::min(text.find_first_of(kSpace, word), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return result;
}

std::int64_t prompt_words(const Request& request) {
  if (request.prompt) return static_cast<std::int64_t>(words(*request.prompt).size());
  std::size_t count = 0;
  for (const Message& message : request.messages) count += words(message.content).size();
  return static_cast<std::int64_t>(count);
}

/// A timer that another thread may stop: Asio's own must not be touched by two at once.
class Alarm {
 public:
  explicit Alarm(const asio::any_io_executor& executor) : timer_(executor) {}

  template <class Handler>
  void wait_until(Clock::time_point time, Handler handler) {
    std::lock_guard lock(mutex_);
    timer_.expires_at(stopped_ ? Clock::time_point::min() : time);
    timer_.async_wait(std::move(handler));
  }
  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    timer_.cancel();
  }

 private:
  std::mutex mutex_;
  asio::steady_timer timer_;
  bool stopped_ = false;
};

/// Returns after `duration`, or when the turn stops: with the reason.
awaitable<Result<void>> pause(std::chrono::milliseconds duration, Turn& turn) {
  if (duration.count() > 0 && !turn.stopped()) {
    const auto alarm = std::make_shared<Alarm>(co_await asio::this_coro::executor);
    const std::stop_callback on_stop(turn.stop_token(), [alarm] { alarm->stop(); });
    Clock::time_point until = Clock::now() + duration;
    if (turn.deadline) until = std::min(until, *turn.deadline);
    const auto token = asio::as_tuple(asio::use_awaitable);
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(
        [alarm, until](auto handler) { alarm->wait_until(until, std::move(handler)); }, token);
  }
  if (std::optional<Error> why = turn.stopped()) co_return std::unexpected(*std::move(why));
  co_return Result<void>{};
}

std::function<Script(const Request&)> in_order(std::vector<Script> script) {
  return [script = std::move(script), next = std::size_t{0}](const Request&) mutable {
    if (script.empty()) return Script{};
    const std::size_t index = std::min(next++, script.size() - 1);
    return script[index];
  };
}

constexpr std::chrono::hours kForever{24};

}  // namespace

ScriptedModel::ScriptedModel(std::string name, std::vector<Script> script)
    : ScriptedModel(std::move(name), std::move(script), Traits{}) {}

ScriptedModel::ScriptedModel(std::string name, std::vector<Script> script, Traits traits)
    : ScriptedModel(std::move(name), in_order(std::move(script)), std::move(traits)) {}

ScriptedModel::ScriptedModel(std::string name, std::function<Script(const Request&)> respond,
                             Traits traits)
    : name_(std::move(name)), traits_(std::move(traits)), respond_(std::move(respond)) {}

std::vector<Request> ScriptedModel::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

awaitable<Result<Answer>> ScriptedModel::answer(Request request, Turn& turn) {
  Script script;
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    script = respond_(request);
  }
  Answer answer;
  answer.finish = script.finish;
  answer.prompt_tokens = prompt_words(request);
  if (traits_.context_length > 0 && answer.prompt_tokens > traits_.context_length) {
    co_return fail(Errc::context_overflow,
                   fmt::format("the prompt has {} tokens, the context of {} holds {}",
                               answer.prompt_tokens, name_, traits_.context_length));
  }
  std::optional<Error> error;
  const auto attempt = [&error](const Result<void>& step) {
    if (!step) error = step.error();
    return step.has_value();
  };
  if (!script.reasoning.empty()) {
    answer.reasoning = script.reasoning;
    attempt(co_await turn.emit({.text = {}, .model = name_, .reasoning = script.reasoning}));
  }
  std::vector<std::string> tokens = words(script.text);
  if (script.error) tokens.resize(std::min<std::size_t>(tokens.size(), script.error_after));
  for (std::string& token : tokens) {
    if (request.max_tokens && answer.completion_tokens >= *request.max_tokens) {
      answer.finish = Finish::length;
      break;
    }
    const bool first = answer.completion_tokens == 0;
    if (!attempt(co_await pause(first ? script.first_token_after : script.between_tokens, turn))) {
      break;
    }
    Piece piece{.text = token, .model = name_, .tokens = 1};
    AnswerToken scored{.text = std::move(token), .logprob = script.logprob};
    if (script.logprobs && request.logprobs) piece.logprobs.push_back(scored);
    answer.text += piece.text;
    answer.completion_tokens += 1;
    if (script.logprobs) answer.tokens.push_back(std::move(scored));
    if (!attempt(co_await turn.emit(std::move(piece)))) break;
  }
  if (!error && tokens.empty()) attempt(co_await pause(script.first_token_after, turn));
  if (!error && script.never_ends) attempt(co_await pause(kForever, turn));
  if (!error) error = script.error;

  Step step{.model = name_,
            .role = "answer",
            .tokens_in = answer.prompt_tokens,
            .tokens_out = answer.completion_tokens,
            .remote = !traits_.local};
  if (traits_.price) step.usd = traits_.price->usd(step);
  turn.receipt.steps.push_back(std::move(step));
  if (error) co_return std::unexpected(*std::move(error));
  answer.tool_calls = std::move(script.tool_calls);
  answer.authors.push_back({.model = name_,
                            .tokens = answer.completion_tokens,
                            .bytes = static_cast<std::int64_t>(answer.text.size())});
  co_return answer;
}

awaitable<Result<Embeddings>> ScriptedModel::embed(std::vector<std::string> texts, Turn& turn) {
  if (traits_.embedding_width <= 0) {
    co_return fail(Errc::unsupported, fmt::format("{} offers no embeddings", name_));
  }
  Embeddings embeddings;
  Step step{.model = name_, .role = "embed", .remote = !traits_.local};
  for (const std::string& text : texts) {
    // A unit vector along the axis that the text's length picks.
    std::vector<float> vector(static_cast<std::size_t>(traits_.embedding_width), 0.0f);
    vector[text.size() % vector.size()] = 1;
    embeddings.push_back(std::move(vector));
    step.tokens_in += static_cast<std::int64_t>(words(text).size());
  }
  turn.receipt.steps.push_back(std::move(step));
  co_return embeddings;
}

}  // namespace lichen::mechanisms
