#include "model/remote/connection_pool.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace lichen::model {

namespace asio = boost::asio;

/// One that waits for a permit. `wake` is touched on the waiter's executor only.
struct ConnectionPool::Waiter {
  explicit Waiter(const asio::any_io_executor& executor)
      : wake(executor, Clock::time_point::max()) {}
  asio::steady_timer wake;
  bool granted = false;  // guarded by the pool's mutex
};

struct ConnectionPool::State {
  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };
  std::mutex mutex;  // guards all below
  std::size_t in_use = 0;
  std::vector<Idle> idle;  // the one used last at the end
  std::deque<std::shared_ptr<Waiter>> waiting;
};

ConnectionPool::ConnectionPool(std::size_t max, std::chrono::milliseconds keep_idle)
    : max_(max), keep_idle_(keep_idle), state_(std::make_unique<State>()) {}

ConnectionPool::~ConnectionPool() = default;

void ConnectionPool::Permit::release(std::unique_ptr<Connection> reusable) {
  if (const auto pool = std::exchange(pool_, nullptr)) pool->give_back(std::move(reusable));
}

awaitable<HttpResult<ConnectionPool::Permit>> ConnectionPool::acquire(Watchdog& watchdog) {
  if (watchdog.hit() != Bound::none) co_return http_fail(watchdog.hit());
  const auto executor = co_await asio::this_coro::executor;
  std::shared_ptr<Waiter> waiter;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->in_use < max_) {
      ++state_->in_use;
      co_return Permit(shared_from_this());
    }
    waiter = std::make_shared<Waiter>(executor);
    state_->waiting.push_back(waiter);
  }
  watchdog.on_hit([waiter] { waiter->wake.expires_at(Clock::time_point::min()); });
  co_await waiter->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  watchdog.off();
  std::unique_lock lock(state_->mutex);
  if (!waiter->granted) {
    std::erase(state_->waiting, waiter);
    co_return http_fail(watchdog.hit());
  }
  lock.unlock();
  Permit permit(shared_from_this());
  if (watchdog.hit() != Bound::none) co_return http_fail(watchdog.hit());
  co_return std::move(permit);
}

void ConnectionPool::give_back(std::unique_ptr<Connection> reusable) {
  std::shared_ptr<Waiter> next;
  {
    std::lock_guard lock(state_->mutex);
    if (reusable) state_->idle.push_back({std::move(reusable), Clock::now()});
    if (state_->waiting.empty()) {
      --state_->in_use;
      return;
    }
    next = std::move(state_->waiting.front());  // the permit goes on to it
    state_->waiting.pop_front();
    next->granted = true;
  }
  const auto executor = next->wake.get_executor();
  asio::post(executor,
             [next = std::move(next)] { next->wake.expires_at(Clock::time_point::min()); });
}

std::unique_ptr<Connection> ConnectionPool::take_idle() {
  const auto oldest = Clock::now() - keep_idle_;
  std::vector<State::Idle> closing;  // outlives the lock: closing sockets takes time
  std::lock_guard lock(state_->mutex);
  while (!state_->idle.empty()) {
    auto last = std::move(state_->idle.back());
    state_->idle.pop_back();
    if (last.since >= oldest && last.connection->silent()) return std::move(last.connection);
    closing.push_back(std::move(last));
  }
  return nullptr;
}

void ConnectionPool::drop_idle() {
  std::vector<State::Idle> closing;
  std::lock_guard lock(state_->mutex);
  closing.swap(state_->idle);
}

}  // namespace lichen::model
