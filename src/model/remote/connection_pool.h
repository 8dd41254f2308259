// How many requests an endpoint gets at once, and which open connections wait for the next one.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "model/remote/connection.h"
#include "model/remote/http_error.h"

namespace lichen::model {

/// Permits and idle connections of one endpoint. A request holds a permit while it runs; who finds
/// none waits, first come, first served. Idle connections never outnumber free permits, so the
/// endpoint sees at most `max` connections. Safe from any thread.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(std::size_t max, std::chrono::milliseconds keep_idle);
  ~ConnectionPool();

  /// The right to use one connection; gives itself back. Movable.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(std::shared_ptr<ConnectionPool> pool) : pool_(std::move(pool)) {}
    ~Permit() { release(nullptr); }
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&&) = delete;

    /// Gives the permit back and, where it can be used again, the connection.
    void release(std::unique_ptr<Connection> reusable);

   private:
    std::shared_ptr<ConnectionPool> pool_;
  };

  /// Waits for a permit, until the watchdog's bounds of the whole call. Runs on a serial executor.
  awaitable<HttpResult<Permit>> acquire(Watchdog& watchdog);

  /// The idle connection that was used last and is still good, or null.
  std::unique_ptr<Connection> take_idle();
  /// Closes all idle connections: called when one of them proved stale.
  void drop_idle();

 private:
  struct Waiter;
  struct State;
  void give_back(std::unique_ptr<Connection> reusable);

  const std::size_t max_;
  const std::chrono::milliseconds keep_idle_;
  std::unique_ptr<State> state_;
};

}  // namespace lichen::model
