// One I/O thread's part of the server: its connections, and the clock that keeps their timeouts.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>

#include "serving/http_server.h"

namespace lichen::serving {

class Connection;

/// Everything but the constructors, `start` and `join` runs on the shard's own thread. One ticking
/// timer checks all connections: setting a timeout costs them an assignment, not a system call.
class Shard {
 public:
  /// On `io`, which somebody else runs.
  Shard(HttpServer& server, boost::asio::io_context& io);
  /// On an io_context and a thread of its own.
  explicit Shard(HttpServer& server);
  ~Shard();

  void start();
  /// Waits for the end of the shard's own thread, if it has one.
  void join();

  void add(Connection& connection) { connections_.insert(&connection); }
  void remove(Connection& connection) { connections_.erase(&connection); }
  /// Closes the connection that can best be spared (Connection::standing), which stays what it is
  /// for the moment; null: all are needed.
  const Connection* make_room();
  /// Closes idle connections, lets the others end their request; after `until` cancels turns and
  /// waits for no request any more. Later it closes what cannot even be told that.
  void stop(Clock::time_point until);
  /// Stops ticking; the io_context then runs out of work.
  void end();

  boost::asio::io_context& io() { return io_; }
  HttpServer& server() { return server_; }
  /// The value of a Date header, now.
  const std::string& date() const { return date_; }

 private:
  void tick();

  HttpServer& server_;
  std::optional<boost::asio::io_context> own_io_;
  boost::asio::io_context& io_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  boost::asio::steady_timer ticker_;
  std::unordered_set<Connection*> connections_;
  /// Timers that have fired may still be queued with the caller's context when this has gone.
  const std::shared_ptr<void> alive_ = std::make_shared<bool>();
  std::optional<Clock::time_point> cancel_at_;  // once the server stops
  std::time_t date_time_ = 0;
  std::string date_;
  bool ended_ = false;
  std::thread thread_;
};

/// Runs `io` until it stops or runs out of work. What a handler throws is logged, not fatal.
void run_io(boost::asio::io_context& io);

}  // namespace lichen::serving
