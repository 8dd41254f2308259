#include "lichen/session.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "model/batcher.h"
#include "model/session_state.h"

namespace lichen {

namespace asio = boost::asio;

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;

Session& Session::operator=(Session&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Session::~Session() {
  if (state_ != nullptr) state_->batcher->close(*state_);
}

awaitable<Result<std::vector<Row>>> Session::decode(std::span<const Token> tokens, Want want) {
  model::Batcher& batcher = *state_->batcher;
  const int capacity = batcher.limits().length();
  if (tokens.empty()) co_return fail(Errc::bad_request, "a step needs at least one token");
  if (tokens.size() + state_->sequence.tokens.size() > static_cast<std::size_t>(capacity)) {
    co_return fail(Errc::context_overflow,
                   std::to_string(tokens.size() + state_->sequence.tokens.size()) +
                       " tokens do not fit into the model's " + std::to_string(capacity) +
                       " KV cells");
  }
  model::PendingStep step{.session = state_.get(),
                          .tokens = tokens,
                          .want = want,
                          .opens = state_->sequence.tokens.empty()};
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [&](auto handler) {
        step.resume = std::move(handler);
        batcher.enqueue(step);
      },
      asio::use_awaitable);
  if (step.error) co_return std::unexpected(std::move(*step.error));
  co_return std::move(step.rows);
}

int Session::size() const { return static_cast<int>(state_->sequence.tokens.size()); }
void Session::truncate(int size) { state_->batcher->truncate(*state_, size); }
Session Session::fork() { return state_->batcher->fork(*state_); }
const SessionStats& Session::stats() const { return state_->stats; }

}  // namespace lichen
