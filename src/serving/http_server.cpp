#include "serving/http_server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "serving/http_connection.h"
#include "serving/log_exception.h"
#include "serving/shard.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

/// How many connections over the limit get an answer (503) instead of being dropped.
constexpr int kRefusedWithAnswer = 64;

}  // namespace

HttpServer::HttpServer(asio::io_context& io, HttpOptions options, Handler& handler)
    : io_(io),
      options_(std::move(options)),
      handler_(handler),
      signals_(io),
      max_connections_(options_.limits.max_connections),
      max_per_address_(options_.limits.max_connections_per_address),
      max_body_bytes_(options_.limits.max_body_bytes),
      sites_(std::make_shared<AllowedSites>(options_.limits.sites)) {
  shards_.push_back(std::make_unique<Shard>(*this, io_));
  while (static_cast<int>(shards_.size()) < options_.io_threads) {
    shards_.push_back(std::make_unique<Shard>(*this));
  }
}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io, HttpOptions options,
                                                       Handler& handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(io, std::move(options), handler));
  if (auto bound = server->bind(); !bound) return std::unexpected(bound.error());
  return server;
}

Result<void> HttpServer::bind() {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options_.host, std::to_string(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) {
    return fail(Errc::bad_config, "serve: host `" + options_.host + "`: " + error.message());
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) {
    if (std::ranges::find(endpoints, entry.endpoint()) == endpoints.end()) {
      endpoints.push_back(entry.endpoint());
    }
  }
  loopback_ = std::ranges::all_of(
      endpoints, [](const tcp::endpoint& endpoint) { return endpoint.address().is_loopback(); });
  if (!loopback_ && !options_.allow_public) {
    return fail(Errc::bad_config,
                "serve: host `" + options_.host +
                    "` can be reached from other machines, which needs an API key: name the "
                    "environment variable that holds it in `api_key_env`, or use 127.0.0.1");
  }
  Result<void> last = fail(Errc::bad_config, "serve: host `" + options_.host + "` has no address");
  for (auto endpoint : endpoints) {
    if (port_ != 0) endpoint.port(static_cast<std::uint16_t>(port_));
    // `localhost` often stands for ::1 too, on machines that have no IPv6: one address is enough.
    last = bind(endpoint);
    if (last) port_ = acceptors_.back()->local_endpoint().port();
  }
  if (acceptors_.empty()) return last;
  return {};
}

Result<void> HttpServer::bind(const tcp::endpoint& endpoint) {
  auto acceptor = std::make_unique<Acceptor>(io_);
  error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(Acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(Errc::bad_config, "serve: cannot listen on " + endpoint.address().to_string() +
                                      " port " + std::to_string(endpoint.port()) + ": " +
                                      error.message());
  }
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void HttpServer::run() {
  // The first use makes the logger. Here only one thread can be at it: ThreadSanitizer does not see
  // into spdlog's library, and took two threads that log at the same time for a race.
  spdlog::default_logger();
  for (auto& acceptor : acceptors_) asio::co_spawn(io_, accept(*acceptor), log_exception);
  for (auto& shard : shards_) shard->start();
  run_io(io_);
  io_.restart();  // it is the caller's
  for (auto& shard : shards_) shard->join();
}

awaitable<void> HttpServer::accept(Acceptor& acceptor) {
  asio::steady_timer pause(io_);
  while (acceptor.is_open()) {
    Shard& shard = *shards_[next_shard_++ % shards_.size()];
    auto [error, socket] =
        co_await acceptor.async_accept(asio::any_io_executor(shard.io().get_executor()), kTuple);
    if (error == asio::error::operation_aborted) break;
    if (error) {
      // Out of descriptors or memory: the kernel keeps the connection, so trying again at once
      // would spin.
      spdlog::warn("server: cannot accept a connection: {}", error.message());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(kTuple);
      continue;
    }
    serve(std::move(socket), shard);
  }
}

void HttpServer::set_limits(const HttpLimits& limits) {
  max_connections_.store(limits.max_connections, std::memory_order_relaxed);
  max_per_address_.store(limits.max_connections_per_address, std::memory_order_relaxed);
  max_body_bytes_.store(limits.max_body_bytes, std::memory_order_relaxed);
  auto sites = std::make_shared<const AllowedSites>(limits.sites);
  const std::lock_guard lock(mutex_);
  sites_ = std::move(sites);
}

std::shared_ptr<const AllowedSites> HttpServer::sites() const {
  const std::lock_guard lock(mutex_);
  return sites_;
}

void HttpServer::serve(tcp::socket socket, Shard& shard) {
  if (stopping()) return;
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // it has left already
  auto place = addresses_.take(peer.address(), max_per_address_.load(std::memory_order_relaxed));
  const int most = max_connections_.load(std::memory_order_relaxed);
  const int count = connections_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (!place || count > most + kRefusedWithAnswer) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    return count_refused();
  }
  auto connection = std::make_shared<Connection>(std::move(socket), shard, count > most);
  asio::co_spawn(shard.io(), connection->run(),
                 [this, connection, place = *std::move(place)](std::exception_ptr problem) {
                   log_exception(std::move(problem));
                   connections_.fetch_sub(1, std::memory_order_release);
                   if (stopping()) post(io_, [this] { end_when_empty(); });
                 });
}

void HttpServer::stop_on_signals() {
  error_code ignored;
  signals_.add(SIGINT, ignored);
  signals_.add(SIGTERM, ignored);
  await_signal();
}

void HttpServer::await_signal() {
  signals_.async_wait([this](error_code error, int) {
    if (error) return;
    if (stopping()) {
      cancel_turns();
    } else {
      spdlog::info("server: stopping; a second signal cancels what still runs");
      stop();
    }
    await_signal();
  });
}

void HttpServer::post(asio::io_context& io, std::function<void()> work) {
  asio::post(io, [alive = std::weak_ptr(alive_), work = std::move(work)] {
    if (!alive.expired()) work();
  });
}

void HttpServer::stop() {
  if (stopping_.exchange(true)) return;
  post(io_, [this] { begin_stop(); });
}

void HttpServer::begin_stop() {
  error_code ignored;
  for (auto& acceptor : acceptors_) acceptor->close(ignored);
  const auto until = Clock::now() + options_.drain;
  for (auto& shard : shards_) {
    post(shard->io(), [shard = shard.get(), until] { shard->stop(until); });
  }
  end_when_empty();
}

void HttpServer::cancel_turns() {
  for (auto& shard : shards_) {
    post(shard->io(), [shard = shard.get()] { shard->stop(Clock::now()); });
  }
}

void HttpServer::end_when_empty() {
  if (connections_.load(std::memory_order_acquire) > 0) return;
  error_code ignored;
  signals_.cancel(ignored);
  for (auto& shard : shards_) {
    post(shard->io(), [shard = shard.get()] { shard->end(); });
  }
  // Others may use `io_` and keep it busy: it is stopped, once what is queued now has run.
  post(io_, [this] { io_.stop(); });
}

}  // namespace lichen::serving
