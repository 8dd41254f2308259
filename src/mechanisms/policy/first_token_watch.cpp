#include "mechanisms/policy/first_token_watch.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <iterator>
#include <utility>

#include "mechanisms/hand_over.h"

namespace lichen::mechanisms {
namespace asio = boost::asio;

awaitable<FirstTokenWatch::Outcome> FirstTokenWatch::answer(AnswererPtr alternative,
                                                            Request request,
                                                            std::chrono::milliseconds timeout) {
  // Without a stream, pieces are asked for only where their time matters: an endpoint then need not
  // stream either.
  const bool watched = turn_.streams() || timeout.count() > 0;
  const std::shared_ptr<Turn> child = turn_.child(watched ? this : nullptr);

  asio::steady_timer timer(co_await asio::this_coro::executor);
  if (timeout.count() > 0) {
    timer.expires_after(timeout);
    timer.async_wait([child, phase = phase_, timeout](boost::system::error_code cancelled) {
      Phase expected = Phase::waiting;
      if (cancelled || !phase->compare_exchange_strong(expected, Phase::expired)) return;
      child->cancel(Errc::deadline_exceeded,
                    fmt::format("no token within timeout_ms, {} ms", timeout.count()));
    });
  }
  Outcome outcome{.answer = co_await alternative->answer(std::move(request), *child)};
  timer.cancel();

  if (outcome.answer || !shown_.text.empty()) {
    turn_.absorb(*child);
  } else {
    absorb_as(turn_, *child, "failed");
  }
  // Whatever the alternative made of being stopped, this is why.
  if (!outcome.answer && *phase_ == Phase::expired) {
    outcome.answer = std::unexpected(*child->stopped());
  }
  if (outcome.answer && !turn_.receipt.first_token_ms && child->receipt.first_token_ms) {
    const std::chrono::duration<double, std::milli> before = child->started - turn_.started;
    turn_.receipt.first_token_ms = before.count() + *child->receipt.first_token_ms;
  }
  outcome.shown = std::move(shown_);
  if (turn_.streams()) outcome.shown.authors = child->receipt.authors;
  co_return outcome;
}

awaitable<bool> FirstTokenWatch::write(Piece piece) {
  Phase expected = Phase::waiting;
  if (!phase_->compare_exchange_strong(expected, Phase::writing) && expected == Phase::expired) {
    co_return false;
  }
  if (!turn_.streams()) co_return true;
  std::string text = piece.text;
  std::vector<AnswerToken> tokens = piece.logprobs;
  if (!co_await turn_.emit(std::move(piece))) co_return false;
  shown_.text += text;
  std::ranges::move(tokens, std::back_inserter(shown_.tokens));
  co_return true;
}

}  // namespace lichen::mechanisms
