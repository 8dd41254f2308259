// An HTTP/1.1 client for one endpoint: POST, keep-alive, bodies whole or as they come.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "model/remote/connection_pool.h"
#include "model/remote/http_error.h"
#include "model/remote/watchdog.h"

namespace lichen::model {

struct HttpClientOptions {
  Host host;
  std::string authority;  // the Host header
  std::string ca_file = {};
  std::size_t max_connections = 64;
  std::chrono::milliseconds connect_timeout{5'000};
  /// Idle connections are used again for so long; servers often close them after 60 s or more.
  std::chrono::milliseconds keep_idle{30'000};
};

struct HttpRequest {
  std::string target;
  std::string fields;  // further header lines, each ending in CRLF
  std::string body;    // JSON
  std::chrono::milliseconds headers_timeout{60'000};
  std::size_t max_response_bytes = 64u << 20;
};

/// What a request cost so far, whether it comes to a response or not.
struct HttpTrace {
  Clock::duration queued{0};    // waiting for a free connection
  std::int64_t bytes_sent = 0;  // of request bodies, those of repeated attempts too
  bool sent = false;            // the whole request has left at least once
};

/// A response whose header is there. Must be used on the executor, and bounded by the watchdog, of
/// the request. Movable. Destroying it closes the connection unless the body is at its end.
class HttpResponse {
 public:
  struct State;
  explicit HttpResponse(std::unique_ptr<State> state);
  ~HttpResponse();
  HttpResponse(HttpResponse&&) noexcept;
  HttpResponse& operator=(HttpResponse&&) noexcept;

  int status() const;
  /// Value of a header field; empty when it is absent.
  std::string_view field(std::string_view name) const;

  /// The next bytes of the body as they come; empty at its end. Valid until the next call. The
  /// watchdog's present phase bounds the wait. Faults: `bound`, `cut`, `protocol`, `too_large`.
  awaitable<HttpResult<std::string_view>> read();
  /// The rest of the body, as long as something comes at least every `idle`.
  awaitable<HttpResult<std::string>> read_all(std::chrono::milliseconds idle);

  /// Lets go of the response before its end was read, when little more can come: a body that ends
  /// within a second leaves its connection for the next request.
  void finish();

 private:
  std::unique_ptr<State> state_;
};

/// Safe from any thread; each call on a serial executor of its own. No exception leaves it.
class HttpClient {
 public:
  /// `io` carries the connections. `bad_config` when the certificates cannot be used.
  static Result<std::unique_ptr<HttpClient>> open(HttpClientOptions options,
                                                  boost::asio::any_io_executor io);

  /// Sends a request and waits for the response's header. A connection that was kept alive and
  /// turns out to be closed is replaced once, unseen, as long as nothing of a response came.
  awaitable<HttpResult<HttpResponse>> post(HttpRequest request, Watchdog& watchdog,
                                           HttpTrace& trace);

 private:
  HttpClient(HttpClientOptions options, boost::asio::any_io_executor io);

  const HttpClientOptions options_;
  const boost::asio::any_io_executor io_;
  const std::shared_ptr<ConnectionPool> pool_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
};

}  // namespace lichen::model
