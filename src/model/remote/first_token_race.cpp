#include "model/remote/first_token_race.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace lichen::model {

namespace asio = boost::asio;

void FirstTokenRace::start(RunnerPtr runner, OpenAiRequest request) {
  runners_.push_back(runner);
  auto work = runner->stream->open(std::move(request));
  asio::co_spawn(
      wake_.get_executor(), std::move(work),
      [this, runner = std::move(runner)](std::exception_ptr problem,
                                         RemoteStream::Outcome outcome) {
        if (problem) {
          outcome = std::unexpected(Failure{{Errc::internal, "a request to a remote model threw"}});
        }
        runner->outcome = std::move(outcome);
        wake_.cancel();
      });
}

std::size_t FirstTokenRace::running() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(runners_, [](const auto& runner) { return !runner->outcome; }));
}

FirstTokenRace::RunnerPtr FirstTokenRace::winner() const {
  const auto found = std::ranges::find_if(
      runners_, [](const auto& runner) { return runner->outcome && runner->outcome->has_value(); });
  return found == runners_.end() ? nullptr : *found;
}

awaitable<void> FirstTokenRace::wait_until(Clock::time_point then) {
  const std::size_t before = running();
  while (running() == before && before > 0 && Clock::now() < then) {
    wake_.expires_at(then);
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

awaitable<FirstTokenRace::RunnerPtr> FirstTokenRace::finish() {
  while (!winner() && running() > 0) co_await wait_until(Clock::time_point::max());
  RunnerPtr first = winner();
  bool late = true;  // those that were asked before the winner are
  for (const RunnerPtr& runner : runners_) {
    if (runner == first) late = false;
    if (!runner->outcome) runner->call->stop(late);
  }
  while (running() > 0) co_await wait_until(Clock::time_point::max());
  co_return first;
}

}  // namespace lichen::model
