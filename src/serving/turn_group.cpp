#include "serving/turn_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "serving/log_exception.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

/// Enough to coalesce what a fast model writes during one system call.
constexpr std::size_t kCapacity = 64;

}  // namespace

TurnGroup::TurnGroup(Runtime& runtime, asio::any_io_executor home, const TurnOptions& options)
    : runtime_(runtime), home_(std::move(home)), channel_(home_, kCapacity) {
  for (std::size_t choice = 0; choice < options.choices; ++choice) {
    lines_.push_back(std::make_unique<Line>(*this, choice, options.plan, options.stream));
    lines_.back()->turn.deadline = options.deadline;
    lines_.back()->turn.priority = options.priority;
    lines_.back()->turn.receipt.key = options.key;
    lines_.back()->turn.fresh = options.fresh;
  }
}

void TurnGroup::start(std::vector<Request> requests) {
  for (std::size_t choice = 0; choice < lines_.size(); ++choice) {
    asio::co_spawn(home_, run(choice, std::move(requests[choice])), log_exception);
    ++unfinished_;
  }
}

awaitable<void> TurnGroup::run(std::size_t choice, Request request) {
  TurnEvent end{.choice = choice};
  try {
    end.what = co_await runtime_.answer(std::move(request), lines_[choice]->turn);
  } catch (const std::exception& problem) {
    // Without its end the group would wait for ever.
    end.what = Result<Answer>(fail(Errc::internal, problem.what()));
  }
  co_await channel_.async_send(error_code{}, std::move(end), kTuple);
}

awaitable<bool> TurnGroup::ChannelSink::write(Piece piece) {
  if (group_.gone_.load(std::memory_order_relaxed)) co_return false;
  TurnEvent event{.choice = choice_, .what = std::move(piece)};
  // Without suspending while there is room, so that a lane goes straight on.
  // It takes the event only when it succeeds.
  if (!group_.channel_.try_send(error_code{}, std::move(event))) {
    // NOLINTNEXTLINE(bugprone-use-after-move)
    co_await group_.channel_.async_send(error_code{}, std::move(event), kTuple);
  }
  co_return !group_.gone_.load(std::memory_order_relaxed);
}

awaitable<TurnEvent> TurnGroup::next() {
  auto [error, event] = co_await channel_.async_receive(kTuple);
  co_return took(std::move(event));
}

awaitable<void> TurnGroup::drain() {
  while (!finished()) co_await next();
}

std::optional<TurnEvent> TurnGroup::try_next() {
  std::optional<TurnEvent> event;
  channel_.try_receive([&event](error_code, TurnEvent taken) { event = std::move(taken); });
  return event ? std::optional(took(std::move(*event))) : std::nullopt;
}

TurnEvent TurnGroup::took(TurnEvent event) {
  if (std::holds_alternative<Result<Answer>>(event.what)) --unfinished_;
  return event;
}

void TurnGroup::cancel(const Error& why) {
  if (why.code == Errc::cancelled) gone_ = true;
  for (auto& line : lines_) line->turn.cancel(why.code, why.detail);
}

}  // namespace lichen::serving
