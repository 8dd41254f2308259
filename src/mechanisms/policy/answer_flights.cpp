#include "mechanisms/policy/answer_flights.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <stop_token>
#include <utility>

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// How long a reader may take over a piece while others wait for the whole.
constexpr std::chrono::milliseconds kPatience{500};

}  // namespace

/// A timer that another thread may stop: Asio's own must not be touched by two at once.
class Flight::Alarm {
 public:
  explicit Alarm(const asio::any_io_executor& executor) : timer_(executor) {}

  template <class Handler>
  void wait_until(Clock::time_point time, Handler handler) {
    const std::lock_guard lock(mutex_);
    timer_.expires_at(stopped_ ? Clock::time_point::min() : time);
    timer_.async_wait(std::move(handler));
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    timer_.cancel();
  }

 private:
  std::mutex mutex_;
  asio::steady_timer timer_;
  bool stopped_ = false;
};

bool Flight::stalled() const {
  const Clock::rep since = writing_since_;
  return since != 0 && Clock::now().time_since_epoch() - Clock::duration(since) >= kPatience;
}

AnswerFlights::Place AnswerFlights::join(const base::Sha256& key) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Flight>& flight = in_progress_[key];
  if (flight != nullptr) return {.flight = flight};
  flight = std::make_shared<Flight>(key);
  return {.flight = flight, .first = true};
}

void AnswerFlights::leave(const std::shared_ptr<Flight>& flight) {
  const std::lock_guard lock(mutex_);
  const auto found = in_progress_.find(flight->key_);
  if (found != in_progress_.end() && found->second == flight) in_progress_.erase(found);
}

void AnswerFlights::land(const std::shared_ptr<Flight>& flight, Landed landed) {
  leave(flight);
  std::vector<std::shared_ptr<Flight::Alarm>> waiting;
  {
    const std::lock_guard lock(flight->mutex_);
    if (flight->landed_) return;
    flight->landed_ = std::move(landed);
    waiting = std::move(flight->waiting_);
  }
  for (const auto& alarm : waiting) alarm->stop();
}

awaitable<Result<Landed>> AnswerFlights::wait(std::shared_ptr<Flight> flight, Turn& turn) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  for (;;) {
    const auto alarm = std::make_shared<Flight::Alarm>(executor);
    {
      const std::lock_guard lock(flight->mutex_);
      if (flight->landed_) co_return *flight->landed_;
      flight->waiting_.push_back(alarm);
    }
    {
      const std::stop_callback on_stop(turn.stop_token(), [alarm] { alarm->stop(); });
      Clock::time_point until = Clock::now() + kPatience;
      if (turn.deadline) until = std::min(until, *turn.deadline);
      const auto token = asio::as_tuple(asio::use_awaitable);
      co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(
          [alarm, until](auto handler) { alarm->wait_until(until, std::move(handler)); }, token);
    }
    {
      const std::lock_guard lock(flight->mutex_);
      std::erase(flight->waiting_, alarm);
    }
    if (std::optional<Error> why = turn.stopped()) co_return std::unexpected(*std::move(why));
    if (flight->stalled()) {
      leave(flight);
      co_return Landed();
    }
  }
}

}  // namespace lichen::mechanisms
