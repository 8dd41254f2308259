// One TCP connection to an endpoint, plain or TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <optional>
#include <string>
#include <tuple>

#include "lichen/turn.h"
#include "model/remote/http_error.h"

namespace lichen::model {

/// Where to connect to.
struct Host {
  bool tls = false;
  std::string name;  // without brackets when it is an IPv6 address
  std::string port;
};

/// TLS 1.2 or later, peers verified against `ca_file` or, where it is empty, the system's
/// certificates. `bad_config` when the file cannot be used.
Result<std::shared_ptr<boost::asio::ssl::context>> open_tls_context(const std::string& ca_file);

/// Thread rule: one coroutine at a time, on a serial executor; which one may change between calls.
/// After an error only `close` is of use.
class Connection {
 public:
  /// What an operation brought: its error and the bytes moved.
  using Moved = std::tuple<boost::system::error_code, std::size_t>;

  static constexpr std::size_t kMaxInput = 80 * 1024;

  explicit Connection(boost::asio::any_io_executor io) : socket_(io) {}

  /// Looks the name up, connects to the first address that answers, and shakes hands where `tls`
  /// is given; all within `until`. Faults: `bound`, `connect`, `tls`.
  awaitable<HttpResult<void>> connect(Host host, std::shared_ptr<boost::asio::ssl::context> tls,
                                      Clock::time_point until, Watchdog& watchdog);

  /// The buffer must stay valid until it resumes.
  awaitable<Moved> write(boost::asio::const_buffer bytes);
  awaitable<Moved> read_some(boost::asio::mutable_buffer space);

  /// Whether an unused connection is still open and silent. What the other side sends unasked
  /// (a goodbye, an answer to nothing) makes it useless.
  bool silent();

  void close();

  /// What was read and is not parsed yet. Kept with the connection, since making it anew for each
  /// request costs more than a short answer's bytes.
  boost::beast::flat_buffer input{kMaxInput};

 private:
  awaitable<HttpResult<void>> handshake(Host host, Watchdog& watchdog);

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
};

}  // namespace lichen::model
