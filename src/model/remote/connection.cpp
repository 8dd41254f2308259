#include "model/remote/connection.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <tuple>
#include <vector>

namespace lichen::model {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// A name look-up that can be left behind: getaddrinfo cannot be interrupted.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor)
      : resolver(executor), done(executor, Clock::time_point::max()) {}
  tcp::resolver resolver;
  asio::steady_timer done;
  error_code error;
  std::vector<tcp::endpoint> found;
};

awaitable<HttpResult<std::vector<tcp::endpoint>>> look_up(Host host, Watchdog& watchdog) {
  error_code not_an_address;
  const auto address = asio::ip::make_address(host.name, not_an_address);
  if (!not_an_address) {
    const auto port = static_cast<std::uint16_t>(std::stoul(host.port));
    co_return std::vector{tcp::endpoint(address, port)};
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  lookup->resolver.async_resolve(
      host.name, host.port,
      asio::bind_executor(executor, [lookup](error_code error, tcp::resolver::results_type found) {
        lookup->error = error;
        for (const auto& entry : found) lookup->found.push_back(entry.endpoint());
        lookup->done.expires_at(Clock::time_point::min());
      }));
  watchdog.on_hit([lookup] { lookup->done.expires_at(Clock::time_point::min()); });
  co_await lookup->done.async_wait(kAwait);
  watchdog.off();
  if (watchdog.hit() != Bound::none) co_return http_fail(watchdog.hit());
  if (lookup->error || lookup->found.empty()) {
    co_return http_fail(HttpFault::connect, "the name " + host.name + " cannot be looked up (" +
                                                lookup->error.message() + ")");
  }
  co_return std::move(lookup->found);
}

}  // namespace

Result<std::shared_ptr<ssl::context>> open_tls_context(const std::string& ca_file) {
  try {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_verify_mode(ssl::verify_peer);
    if (ca_file.empty()) {
      context->set_default_verify_paths();
    } else {
      error_code error;
      context->load_verify_file(ca_file, error);
      if (error) {
        return fail(Errc::bad_config, "ca_file " + ca_file +
                                          " holds no certificates that can be read (" +
                                          error.message() + "); it must be a PEM file");
      }
    }
    return context;
  } catch (const std::exception& e) {
    return fail(Errc::internal, std::string("TLS cannot be set up: ") + e.what());
  }
}

awaitable<HttpResult<void>> Connection::connect(Host host, std::shared_ptr<ssl::context> tls,
                                                Clock::time_point until, Watchdog& watchdog) {
  watchdog.phase(Bound::connect, until);
  const auto found = co_await look_up(host, watchdog);
  if (!found) co_return std::unexpected(found.error());

  error_code error;
  for (std::size_t i = 0; i < found->size(); ++i) {
    // An address that swallows packets (IPv6 without a route, often) leaves time for the others.
    const auto now = Clock::now();
    watchdog.phase(Bound::connect, now + (until - now) / static_cast<int>(found->size() - i));
    close();
    watchdog.on_hit([this] { close(); });
    std::tie(error) = co_await socket_.async_connect((*found)[i], kAwait);
    watchdog.off();
    const bool last = i + 1 == found->size();
    if (watchdog.hit() != Bound::none && (last || watchdog.hit() != Bound::connect)) {
      co_return http_fail(watchdog.hit());
    }
    if (!error && watchdog.hit() == Bound::none) break;
    if (last) {
      co_return http_fail(HttpFault::connect, "no connection to " + host.name + ":" + host.port +
                                                  " (" + error.message() + ")");
    }
  }
  socket_.set_option(tcp::no_delay(true), error);
  socket_.set_option(asio::socket_base::keep_alive(true), error);  // finds peers that vanished
  if (!tls) co_return HttpResult<void>{};
  context_ = std::move(tls);
  watchdog.phase(Bound::connect, until);
  co_return co_await handshake(std::move(host), watchdog);
}

awaitable<HttpResult<void>> Connection::handshake(Host host, Watchdog& watchdog) {
  tls_.emplace(socket_, *context_);
  SSL* handle = tls_->native_handle();
  error_code not_an_address;
  asio::ip::make_address(host.name, not_an_address);
  const bool named = not_an_address ? SSL_set_tlsext_host_name(handle, host.name.c_str()) == 1 &&
                                          SSL_set1_host(handle, host.name.c_str()) == 1
                                    : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle),
                                                                    host.name.c_str()) == 1;
  if (!named) co_return http_fail(HttpFault::tls, host.name + " is no name that TLS can verify");
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_set_alpn_protos(handle, kAlpn, sizeof kAlpn - 1);

  watchdog.on_hit([this] { close(); });
  auto [error] = co_await tls_->async_handshake(ssl::stream_base::client, kAwait);
  watchdog.off();
  if (watchdog.hit() != Bound::none) co_return http_fail(watchdog.hit());
  if (!error) co_return HttpResult<void>{};
  const long verdict = SSL_get_verify_result(handle);
  const std::string why =
      verdict == X509_V_OK ? error.message() : X509_verify_cert_error_string(verdict);
  co_return http_fail(HttpFault::tls,
                      "no TLS with " + host.name + ":" + host.port + " (" + why + ")");
}

awaitable<Connection::Moved> Connection::write(asio::const_buffer bytes) {
  return tls_ ? asio::async_write(*tls_, bytes, kAwait) : asio::async_write(socket_, bytes, kAwait);
}

awaitable<Connection::Moved> Connection::read_some(asio::mutable_buffer space) {
  return tls_ ? tls_->async_read_some(space, kAwait) : socket_.async_read_some(space, kAwait);
}

bool Connection::silent() {
  if (!socket_.is_open() || (tls_ && SSL_pending(tls_->native_handle()) > 0)) return false;
  char byte;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace lichen::model
