// Accepts connections and spreads them over I/O threads; stops gracefully.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lichen/result.h"
#include "serving/address_count.h"
#include "serving/allowed_sites.h"
#include "serving/exchange.h"

namespace lichen::serving {

/// What may change while the server runs.
struct HttpLimits {
  int max_connections = 1'024;
  int max_connections_per_address = 0;  // 0: as many as there may be; see AddressCount
  std::size_t max_body_bytes = 16u << 20;
  AllowedSites sites = {};
};

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8080;            // 0: a free one
  bool allow_public = false;  // whether other than loopback addresses may be bound
  int io_threads = 1;
  HttpLimits limits = {};
  std::size_t max_header_bytes = 16u << 10;
  std::chrono::milliseconds idle_timeout{75'000};    // between two requests of a connection
  std::chrono::milliseconds header_timeout{10'000};  // from its first byte to its last
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds write_timeout{30'000};  // of one write that the client does not read
  /// Where there is no room for another connection, the one goes that has for longest been idle or
  /// not got its header across, if that is longer than this; else one that for five times as long
  /// has not got its body across, or does not read what is written to it.
  std::chrono::milliseconds patience{1'000};
  std::chrono::milliseconds drain{10'000};  // for running turns when the server stops
  std::chrono::milliseconds tick{100};      // how precisely the above are kept
};

class Shard;

/// Each I/O thread has an io_context and its own connections, so connections need no locks. The
/// first of them is `io`, on the thread that calls `run`.
class HttpServer {
 public:
  /// Binds every address of `options.host` and listens. `bad_config`: see Server::open.
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io,
                                                    HttpOptions options, Handler& handler);
  ~HttpServer();

  /// Blocks until stopped and all connections are closed.
  void run();
  /// From any thread; more than once does no harm.
  void stop();
  /// From now on SIGINT and SIGTERM stop it, and a second signal cancels the turns that still run.
  /// Once, from any thread, but not beside `stop`.
  void stop_on_signals();

  int port() const { return port_; }
  bool loopback() const { return loopback_; }
  const HttpOptions& options() const { return options_; }
  Handler& handler() const { return handler_; }
  /// From any thread. What is over a lower limit already stays.
  void set_limits(const HttpLimits& limits);
  std::size_t max_body_bytes() const { return max_body_bytes_.load(std::memory_order_relaxed); }
  std::shared_ptr<const AllowedSites> sites() const;
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  int connections() const { return connections_.load(std::memory_order_relaxed); }
  /// Closed to make room for others, and not let in, since the start.
  std::int64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  std::int64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  void count_evicted() { evicted_.fetch_add(1, std::memory_order_relaxed); }
  void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;

  HttpServer(boost::asio::io_context& io, HttpOptions options, Handler& handler);
  Result<void> bind();
  Result<void> bind(const boost::asio::ip::tcp::endpoint& endpoint);
  awaitable<void> accept(Acceptor& acceptor);
  void serve(boost::asio::ip::tcp::socket socket, Shard& shard);
  void await_signal();
  void begin_stop();
  void cancel_turns();
  void end_when_empty();
  /// `io_` is the caller's and may run on when this has gone: then `work` is dropped.
  void post(boost::asio::io_context& io, std::function<void()> work);

  boost::asio::io_context& io_;
  const HttpOptions options_;
  Handler& handler_;
  int port_ = 0;
  bool loopback_ = true;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::size_t next_shard_ = 0;
  boost::asio::signal_set signals_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> max_connections_;
  std::atomic<int> max_per_address_;
  std::atomic<std::size_t> max_body_bytes_;
  mutable std::mutex mutex_;
  std::shared_ptr<const AllowedSites> sites_;  // guarded by mutex_
  std::atomic<std::int64_t> evicted_ = 0;
  std::atomic<std::int64_t> refused_ = 0;
  AddressCount addresses_;
  const std::shared_ptr<void> alive_ = std::make_shared<bool>();
};

}  // namespace lichen::serving
