// A server with a handler that says back what it is sent, for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "serving/http_server.h"
#include "serving/test_client.h"

namespace lichen::serving {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Says back what it was sent; by path also slowly, never, or as a stream.
class Echo final : public Handler {
 public:
  std::optional<HttpResponse> admit(const HttpRequest& header) override {
    if (header.target() == "/broken") throw std::runtime_error("a defect");
    if (header.target() == "/refused") return HttpResponse{.status = 401, .body = "no"};
    return std::nullopt;
  }
  awaitable<void> handle(Exchange& exchange) override {
    ++handled;
    if (exchange.path() == "/hang") {
      co_await hang(exchange);
    } else if (exchange.path() == "/stream") {
      exchange.begin_stream({.content_type = "text/event-stream"});
      co_await exchange.write("one");
      co_await exchange.write("two");
      co_await exchange.finish("three");
    } else if (exchange.path() == "/slow") {
      co_await take_time(exchange);
    } else if (exchange.path() == "/flood") {
      co_await flood(exchange);
    } else if (exchange.path() == "/long") {
      co_await exchange.respond({.body = std::string(kLong, 'x')});
    } else if (exchange.path() == "/throw") {
      throw std::runtime_error("a defect");
    } else if (exchange.path() != "/silent") {
      HttpResponse response{.body = exchange.request().body(), .content_type = "text/plain"};
      response.headers.emplace_back("x-path", std::string(exchange.path()));
      co_await exchange.respond(std::move(response));
    }
  }
  HttpResponse refusal(unsigned status, std::string detail) override {
    return {.status = status, .body = std::move(detail), .content_type = "text/plain"};
  }
  void served(const Served& response) override { last_status = response.status; }

  static constexpr std::size_t kLong = 64u << 20;

  std::atomic<int> handled = 0;
  std::atomic<unsigned> last_status = 0;
  std::atomic<Errc> stopped = Errc::internal;  // why /hang or /flood ended
  std::atomic<bool> hanging = false;

 private:
  /// Waits until it is stopped.
  awaitable<void> hang(Exchange& exchange) {
    asio::steady_timer timer(exchange.executor(), asio::steady_timer::time_point::max());
    exchange.watch(Clock::now() + 10min, [this, &timer](const Error& why) {
      stopped = why.code;
      timer.cancel();
    });
    hanging = true;
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await exchange.respond({.status = 499});
  }
  /// Answers after a while, unless it is stopped.
  awaitable<void> take_time(Exchange& exchange) {
    asio::steady_timer timer(exchange.executor(), 150ms);
    exchange.watch({}, [this, &timer](const Error& why) {
      stopped = why.code;
      timer.cancel();
    });
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await exchange.respond({.status = error ? 499U : 200U});
  }
  /// Writes without end.
  awaitable<void> flood(Exchange& exchange) {
    exchange.watch({}, [this](const Error& why) { stopped = why.code; });
    exchange.begin_stream({});
    const std::string block(1 << 16, 'x');
    while (co_await exchange.write(block)) {
    }
    if (stopped == Errc::internal) stopped = Errc::upstream;
    co_await exchange.finish({});
  }
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    options.port = 0;
    options.tick = 5ms;
    auto server = HttpServer::listen(io_, options, echo_);
    ASSERT_TRUE(server.has_value()) << server.error().detail;
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (server_) server_->stop();
    if (thread_.joinable()) thread_.join();
  }
  void TearDown() override { stop(); }
  int port() const { return server_->port(); }
  template <class Condition>
  static void wait_for(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }

  asio::io_context io_{1};
  Echo echo_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace lichen::serving
