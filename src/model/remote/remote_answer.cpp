#include "model/remote/remote_answer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/document.h"

namespace lichen::model {

RemoteAnswer::RemoteAnswer(const Remote& remote, Turn& turn, boost::asio::any_io_executor strand)
    : remote_(remote),
      turn_(turn),
      strand_(std::move(strand)),
      call_(std::make_unique<RemoteCall>(
          remote, turn, "answer", turn.streams() ? Traffic::streamed : Traffic::whole, strand_)) {
  remote.budget->request();
}

awaitable<Result<Answer>> RemoteAnswer::run(Request request) {
  request_ = std::move(request);
  for (;;) {
    stream_.reset();
    Outcome outcome = co_await attempt();
    if (outcome) break;
    Failure failure = std::move(outcome.error());
    // Once something was shown, a second attempt could contradict it: it has to go on behind.
    const bool shown = stream_ && stream_->reply().has_shown() && turn_.streams();
    const bool goes_on = shown && can_go_on(failure);
    failure.retry = goes_on || (failure.retry && !shown);
    if (co_await call_->may_retry(failure, shown && !goes_on)) {
      if (goes_on) {
        go_on_behind();
      } else if (stream_ && call_->may_be_billed()) {
        count_tokens(*call_, *stream_);
        call_->settle_as("failed");
      }
      continue;
    }
    if (call_->asked()) {
      if (stream_) count_tokens(*call_, *stream_);
      call_->settle();
    }
    if ((shown || goes_on_) && !turn_.stopped()) {
      // An endpoint that does not take the beginning refuses our request, not the user's.
      if (failure.error.code == Errc::bad_request) failure.error.code = Errc::upstream;
      failure.error.detail += "; the answer is cut off behind what was shown";
    }
    co_return std::unexpected(std::move(failure.error));
  }
  call_->succeeded();
  co_return finish();
}

awaitable<RemoteAnswer::Outcome> RemoteAnswer::attempt() {
  const auto* note = goes_on_ ? "; it goes on behind what was shown" : "";
  if (auto chosen = call_->choose(note); !chosen) co_return std::unexpected(chosen.error());
  auto request = written(*call_);
  if (!request) co_return std::unexpected(Failure{std::move(request.error())});
  stream_ = std::make_unique<RemoteStream>(*call_, turn_.streams());
  if (auto opened = co_await open(*std::move(request)); !opened) co_return opened;
  for (;;) {
    auto delta = co_await stream_->next();
    if (!delta) co_return std::unexpected(std::move(delta.error()));
    if (!*delta) co_return Outcome{};
    if ((*delta)->text.empty() && (*delta)->reasoning.empty()) continue;
    auto shown = co_await turn_.emit(piece_of(**std::move(delta)));
    if (!shown) co_return std::unexpected(Failure{std::move(shown.error())});
  }
}

/// The first token, from the chosen upstream or, where that is late, from a second one.
awaitable<RemoteAnswer::Outcome> RemoteAnswer::open(OpenAiRequest request) {
  const auto delay = hedge_delay();
  if (!delay) co_return co_await stream_->open(std::move(request));
  FirstTokenRace race(strand_);
  const auto first = std::make_shared<FirstTokenRace::Runner>(std::move(call_), std::move(stream_));
  race.start(first, std::move(request));
  co_await race.wait_until(Clock::now() + *delay);
  std::shared_ptr<FirstTokenRace::Runner> second;
  if (!first->outcome) second = second_runner(*first->call);
  if (second) {
    auto anew = written(*second->call);
    if (anew) race.start(second, *std::move(anew));
  }
  const auto winner = co_await race.finish();
  const bool second_won = second && winner == second;
  if (second) note_hedge(*first, *second, winner.get(), *delay);
  const auto& kept = second_won ? second : first;
  if (second) {
    FirstTokenRace::Runner& loser = second_won ? *first : *second;
    settle_loser(loser);
    kept->call->avoid(loser.call->at());
  }
  call_ = std::move(kept->call);
  stream_ = std::move(kept->stream);
  co_return std::move(*kept->outcome);
}

std::optional<Clock::duration> RemoteAnswer::hedge_delay() const {
  const auto& hedge = remote_.options.hedge;
  if (!hedge || !turn_.streams()) return std::nullopt;
  if (hedge->percentile) return remote_.first_tokens->percentile(*hedge->percentile);
  return hedge->after;
}

std::shared_ptr<FirstTokenRace::Runner> RemoteAnswer::second_runner(const RemoteCall& first) {
  auto call = RemoteCall::beside(first);
  // More requests than usual are as much of a load as retries are.
  if (!call->another() || !remote_.budget->take(Clock::now())) return nullptr;
  if (!call->choose() || call->at() == first.at()) return nullptr;
  auto stream = std::make_unique<RemoteStream>(*call, true);
  return std::make_shared<FirstTokenRace::Runner>(std::move(call), std::move(stream));
}

void RemoteAnswer::note_hedge(const FirstTokenRace::Runner& first,
                              const FirstTokenRace::Runner& second,
                              const FirstTokenRace::Runner* winner, Clock::duration delay) {
  const auto name = [](const auto& runner) { return runner.call->upstream().name; };
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
  turn_.receipt.decisions.push_back(
      {.mechanism = remote_.name,
       .choice = "hedge",
       .reason = name(first) + " had no token within " + std::to_string(ms) +
                 " ms: " + name(second) + " was asked too, and " +
                 (winner != nullptr ? name(*winner) + " was first" : "both failed")});
}

void RemoteAnswer::settle_loser(FirstTokenRace::Runner& loser) {
  if (loser.outcome && !*loser.outcome) loser.call->failed(loser.outcome->error());
  if (!loser.call->asked()) return;
  count_tokens(*loser.call, *loser.stream);
  loser.call->settle_as("hedge");
}

Result<OpenAiRequest> RemoteAnswer::written(const RemoteCall& call) const {
  return write_answer_request(request_, {.model = call.upstream().model,
                                         .stream = turn_.streams(),
                                         .max_tokens_field = remote_.options.max_tokens_field,
                                         .continues = remote_.options.continues,
                                         .returns_reasoning = remote_.options.returns_reasoning});
}

Piece RemoteAnswer::piece_of(Delta delta) const {
  return {.text = std::move(delta.text),
          .model = remote_.name,
          .tokens = delta.tokens,
          .logprobs = std::move(delta.logprobs),
          .reasoning = std::move(delta.reasoning)};
}

/// Reasoning is not part of what is sent along, nor can a tool call be gone on with.
bool RemoteAnswer::can_go_on(const Failure& failure) const {
  if (failure.fault == Fault::none || turn_.stopped()) return false;
  const bool able = request_.prompt || remote_.options.continues != Continuation::none;
  return able && request_.tools.empty() && request_.format.free() && stream_->reply().only_text();
}

void RemoteAnswer::go_on_behind() {
  const auto at = answer_.text.size();
  add_part();
  begun_tokens_ = answer_.completion_tokens;
  request_.begun += answer_.text.substr(at);
  if (request_.max_tokens) {
    const auto left = *request_.max_tokens - call_->step.tokens_out;
    request_.max_tokens = static_cast<int>(std::max<std::int64_t>(left, 1));
  }
  goes_on_ = true;
  call_->settle();
}

void RemoteAnswer::count_tokens(RemoteCall& call, RemoteStream& stream) const {
  Step& step = call.step;
  if (const auto& usage = stream.reply().usage()) {
    step.tokens_in = usage->prompt;
    step.tokens_cached = usage->cached;
    step.tokens_out = usage->completion;
    return;
  }
  if (!call.may_be_billed()) return;
  step.estimated = true;
  step.tokens_in = call.estimate(static_cast<std::int64_t>(base::prompt_bytes(request_)));
  step.tokens_out = call.estimate(stream.reply().bytes());
}

/// Adds what the present attempt has written to the answer, and its tokens to the step.
void RemoteAnswer::add_part() {
  count_tokens(*call_, *stream_);
  const Step& step = call_->step;
  Answer part = stream_->reply().take();
  answer_.text += part.text;
  answer_.reasoning += part.reasoning;
  std::ranges::move(part.tokens, std::back_inserter(answer_.tokens));
  answer_.tool_calls = std::move(part.tool_calls);
  answer_.finish = part.finish;
  // What was begun is part of the later prompts, but not of the user's.
  answer_.prompt_tokens = std::max<std::int64_t>(step.tokens_in - begun_tokens_, 0);
  answer_.cached_tokens = std::min(step.tokens_cached, answer_.prompt_tokens);
  answer_.completion_tokens += step.tokens_out;
}

Result<Answer> RemoteAnswer::finish() {
  const auto& reply = stream_->reply();
  const bool filtered = reply.filtered();
  const bool withheld = filtered && reply.empty() && answer_.text.empty();
  add_part();
  call_->settle();
  if (withheld) {
    return fail(Errc::refused,
                "`" + remote_.name + "`: the endpoint's content filter withheld the answer");
  }
  if (filtered) {
    turn_.receipt.decisions.push_back(
        {remote_.name, "content_filter", "the endpoint's content filter ended the answer early"});
  }
  answer_.authors = {
      {remote_.name, answer_.completion_tokens, static_cast<std::int64_t>(answer_.text.size())}};
  return std::move(answer_);
}

}  // namespace lichen::model
