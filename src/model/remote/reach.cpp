#include "model/remote/reach.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <utility>

#include "model/remote/connection.h"
#include "model/remote/endpoint.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;

awaitable<std::string> connect(Host host, std::shared_ptr<asio::ssl::context> tls,
                               std::chrono::milliseconds timeout, asio::any_io_executor io) {
  Watchdog watchdog(io, {});
  Connection connection(io);
  const auto done = co_await connection.connect(std::move(host), std::move(tls),
                                                Clock::now() + timeout, watchdog);
  if (done) co_return "";
  if (done.error().fault != HttpFault::bound) co_return done.error().detail;
  co_return "no connection within " + std::to_string(timeout.count()) + " ms (connect_timeout)";
}

}  // namespace

Result<std::vector<Reach>> reach(const RemoteModelOptions& options) {
  std::vector<UpstreamOptions> places = options.urls;
  if (places.empty()) places.push_back({.url = options.url});
  std::vector<Reach> reached;
  for (UpstreamOptions& place : places) {
    place.key_env.clear();
    const auto endpoint = parse_endpoint(place, true);
    if (!endpoint) return std::unexpected(endpoint.error());
    std::shared_ptr<asio::ssl::context> tls;
    if (endpoint->host.tls) {
      auto context = open_tls_context(options.ca_file);
      if (!context) return std::unexpected(context.error());
      tls = *std::move(context);
    }
    asio::io_context io(1);
    const auto began = Clock::now();
    auto error =
        asio::co_spawn(io, connect(endpoint->host, tls, options.connect_timeout, io.get_executor()),
                       asio::use_future);
    io.run();
    const std::chrono::duration<double, std::milli> took = Clock::now() - began;
    reached.push_back({endpoint->authority, took.count(), error.get()});
  }
  return reached;
}

}  // namespace lichen::model
