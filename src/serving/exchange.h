// What the HTTP layer and the routes hand each other: one request and the way to answer it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lichen/result.h"
#include "lichen/turn.h"

namespace lichen::serving {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

struct HttpResponse {
  unsigned status = 200;
  std::string body = {};
  std::string_view content_type = "application/json";
  std::vector<std::pair<std::string_view, std::string>> headers = {};
};

/// One request in progress. Belongs to the connection that it came by and to its thread; valid
/// until the route's coroutine ends. Answer it once: `respond`, or `begin_stream` and what follows.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const HttpRequest& request() const = 0;
  virtual boost::asio::any_io_executor executor() = 0;

  virtual awaitable<void> respond(HttpResponse response) = 0;

  /// Stages the header of a stream; it leaves with the first `write`. `head.body` is not used.
  virtual void begin_stream(HttpResponse head) = 0;
  /// One system call, however much `data` holds. False: the client has gone.
  virtual awaitable<bool> write(std::string_view data) = 0;
  /// The same, and ends the stream.
  virtual awaitable<bool> finish(std::string_view data) = 0;

  /// Calls `stop`, once or more often, when the client leaves, `deadline` passes or the server
  /// wants to end. An empty function ends the watch, as does the end of the exchange.
  virtual void watch(std::optional<Clock::time_point> deadline,
                     std::function<void(Error)> stop) = 0;

  /// The request's target without its query.
  std::string_view path() const {
    const std::string_view target = request().target();
    return target.substr(0, target.find('?'));
  }
  /// A header field's value, empty when absent.
  std::string_view header(std::string_view name) const {
    return request()[boost::beast::string_view(name.data(), name.size())];
  }

  /// What the log and the metrics say about it; filled by the route.
  struct Notes {
    std::string_view route = "other";
    std::string plan = {};
    std::string receipts = {};
  };
  Notes notes;
};

/// What became of a request.
struct Served {
  std::string_view method;
  std::string_view path;
  unsigned status = 0;
  double ms = 0;
  const Exchange::Notes& notes;
};

/// Answers requests. Called from all I/O threads; outlives the server.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Looks at the header before the body is read. A response refuses the request.
  virtual std::optional<HttpResponse> admit(const HttpRequest& header) = 0;
  virtual awaitable<void> handle(Exchange& exchange) = 0;
  /// The response for what the HTTP layer itself refuses.
  virtual HttpResponse refusal(unsigned status, std::string detail) = 0;
  /// After each response.
  virtual void served(const Served& served) = 0;
};

}  // namespace lichen::serving
