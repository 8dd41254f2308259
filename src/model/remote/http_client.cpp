#include "model/remote/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

namespace lichen::model {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::uint32_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kReadBytes = 16 * 1024;
static_assert(kMaxHeaderBytes + kReadBytes == Connection::kMaxInput);
constexpr std::chrono::seconds kFinish{1};

using Parser = http::response_parser<http::string_body>;

/// The header guard: what Beast lets pass but two readers could understand differently. Returns
/// what is wrong, or nothing.
std::string ambiguity(const http::response_header<>& header) {
  const auto count = [&](http::field name) {
    const auto range = header.equal_range(name);
    return std::distance(range.first, range.second);
  };
  const auto codings = count(http::field::transfer_encoding);
  const auto lengths = count(http::field::content_length);
  if (lengths > 1) return "more than one Content-Length";
  if (codings > 0) {
    if (codings > 1 || !beast::iequals(header[http::field::transfer_encoding], "chunked")) {
      return "a Transfer-Encoding other than chunked";
    }
    if (header.version() != 11) return "Transfer-Encoding in HTTP/1.0";
    if (lengths > 0) return "Transfer-Encoding and Content-Length together";
  }
  const auto encoding = header[http::field::content_encoding];
  if (!encoding.empty() && !beast::iequals(encoding, "identity")) {
    return "a Content-Encoding that was not asked for";
  }
  return {};
}

bool is_end(const error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

}  // namespace

/// A request on a connection, from its first byte out to the last byte in.
struct HttpResponse::State {
  State(ConnectionPool::Permit held, std::unique_ptr<Connection> open, Watchdog& bounds)
      : permit(std::move(held)), connection(std::move(open)), watchdog(&bounds) {}
  ~State() { release(); }

  ConnectionPool::Permit permit;
  std::unique_ptr<Connection> connection;
  Watchdog* watchdog;
  std::optional<Parser> parser;
  std::string piece;  // what `read` returned last
  std::size_t max_body = 0;
  bool heard = false;  // something of a response has come
  bool spent = false;  // the connection cannot carry another request

  awaitable<HttpResult<void>> send(std::string_view message);
  awaitable<HttpResult<void>> read_header();
  awaitable<HttpResult<std::string_view>> read();
  awaitable<HttpResult<bool>> fill();
  HttpResult<void> parse();
  std::string& body() { return parser->get().body(); }
  beast::flat_buffer& input() const { return connection->input; }

  bool reusable() const {
    return !spent && connection && parser && parser->is_done() && parser->keep_alive() &&
           input().size() == 0;
  }
  void release() { permit.release(reusable() ? std::move(connection) : nullptr); }
};

/// False at the end of what the other side sends. Faults: `bound`, `cut`.
awaitable<HttpResult<bool>> HttpResponse::State::fill() {
  if (watchdog->hit() != Bound::none) co_return http_fail(watchdog->hit());
  watchdog->on_hit([this] { connection->close(); });
  const auto [error, size] = co_await connection->read_some(input().prepare(kReadBytes));
  watchdog->off();
  if (watchdog->hit() != Bound::none) co_return http_fail(watchdog->hit());
  // Many TLS servers leave without a goodbye. Whether that was a cut, the message's framing tells,
  // and where it has none, the JSON within.
  if (is_end(error)) co_return false;
  if (error) co_return http_fail(HttpFault::cut, "the connection broke (" + error.message() + ")");
  input().commit(size);
  heard = true;
  co_return true;
}

/// Parses what is in the buffer, as far as it goes.
HttpResult<void> HttpResponse::State::parse() {
  error_code error;
  const auto used = parser->put(input().data(), error);
  input().consume(used);
  if (!error) return {};
  if (error == http::error::need_more) {
    if (input().size() <= kMaxHeaderBytes) return {};
    error = http::error::header_limit;
  }
  spent = true;
  if (error == http::error::body_limit) {
    return http_fail(HttpFault::too_large, "the response is longer than max_response_bytes, " +
                                               std::to_string(max_body) + " bytes");
  }
  return http_fail(HttpFault::protocol, "the response is not valid HTTP (" + error.message() + ")");
}

awaitable<HttpResult<void>> HttpResponse::State::send(std::string_view message) {
  watchdog->on_hit([this] { connection->close(); });
  const auto [error, size] = co_await connection->write(asio::buffer(message));
  watchdog->off();
  if (watchdog->hit() != Bound::none) co_return http_fail(watchdog->hit());
  if (error) {
    co_return http_fail(HttpFault::reset, "the connection broke while the request was sent (" +
                                              error.message() + ")");
  }
  co_return HttpResult<void>{};
}

awaitable<HttpResult<void>> HttpResponse::State::read_header() {
  for (;;) {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(kMaxHeaderBytes);
    parser->body_limit(max_body);
    bool starved = input().size() == 0;
    while (!parser->is_header_done()) {
      if (starved) {
        const auto filled = co_await fill();
        if (!filled && filled.error().fault == HttpFault::bound) {
          co_return std::unexpected(filled.error());
        }
        if (!filled || !*filled) {
          co_return http_fail(HttpFault::reset, input().size() > 0
                                                    ? "the connection broke within the header"
                                                    : "the connection broke before a response");
        }
      }
      if (auto parsed = parse(); !parsed) co_return std::unexpected(parsed.error());
      starved = true;
    }
    const auto& header = parser->get().base();
    if (const auto what = ambiguity(header); !what.empty()) {
      spent = true;
      co_return http_fail(HttpFault::protocol, "the response's header has " + what);
    }
    // Interim responses (100 Continue, 103 Early Hints) come before the one that counts.
    if (header.result_int() >= 200) co_return HttpResult<void>{};
    if (header.result_int() == 101) {
      spent = true;
      co_return http_fail(HttpFault::protocol, "the endpoint switched protocols unasked");
    }
  }
}

awaitable<HttpResult<std::string_view>> HttpResponse::State::read() {
  for (;;) {
    if (!body().empty()) {
      piece.swap(body());
      body().clear();
      co_return std::string_view(piece);
    }
    if (parser->is_done()) co_return std::string_view{};
    const auto filled = co_await fill();
    if (!filled) {
      spent = true;
      co_return std::unexpected(filled.error());
    }
    if (!*filled) {
      error_code error;
      parser->put_eof(error);
      spent = true;
      if (error) co_return http_fail(HttpFault::cut, "the connection ended within the response");
      co_return std::string_view{};
    }
    if (auto parsed = parse(); !parsed) co_return std::unexpected(parsed.error());
  }
}

HttpResponse::HttpResponse(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpResponse::~HttpResponse() = default;
HttpResponse::HttpResponse(HttpResponse&&) noexcept = default;
HttpResponse& HttpResponse::operator=(HttpResponse&&) noexcept = default;

int HttpResponse::status() const { return static_cast<int>(state_->parser->get().result_int()); }

std::string_view HttpResponse::field(std::string_view name) const {
  const auto value = state_->parser->get()[beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

awaitable<HttpResult<std::string_view>> HttpResponse::read() { return state_->read(); }

awaitable<HttpResult<std::string>> HttpResponse::read_all(std::chrono::milliseconds idle) {
  std::string whole;
  for (;;) {
    state_->watchdog->phase(Bound::idle, Clock::now() + idle);
    const auto piece = co_await state_->read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return std::move(whole);
    whole.empty() ? whole.swap(state_->piece) : static_cast<void>(whole.append(*piece));
  }
}

namespace {

/// Reads the last bytes of a body that nobody needs, so that the connection can be used again.
awaitable<void> drain(std::unique_ptr<HttpResponse::State> state) {
  Watchdog watchdog(co_await asio::this_coro::executor, {});
  watchdog.limit(Bound::total, Clock::now() + kFinish);
  state->watchdog = &watchdog;
  for (;;) {
    const auto piece = co_await state->read();
    if (!piece || piece->empty()) break;
  }
  state.reset();
}

}  // namespace

void HttpResponse::finish() {
  if (!state_) return;
  const auto state = state_.get();
  state->body().clear();
  if (state->parser->is_done() || state->spent) {
    state_.reset();
    return;
  }
  const auto serial = state->watchdog->executor();
  state->watchdog->off();
  asio::co_spawn(serial, drain(std::move(state_)), [](std::exception_ptr) {});
}

HttpClient::HttpClient(HttpClientOptions options, asio::any_io_executor io)
    : options_(std::move(options)),
      io_(std::move(io)),
      pool_(std::make_shared<ConnectionPool>(options_.max_connections, options_.keep_idle)) {}

Result<std::unique_ptr<HttpClient>> HttpClient::open(HttpClientOptions options,
                                                     asio::any_io_executor io) {
  std::unique_ptr<HttpClient> client(new HttpClient(std::move(options), std::move(io)));
  if (client->options_.host.tls) {
    auto tls = open_tls_context(client->options_.ca_file);
    if (!tls) return std::unexpected(tls.error());
    client->tls_ = std::move(*tls);
  }
  return client;
}

awaitable<HttpResult<HttpResponse>> HttpClient::post(HttpRequest request, Watchdog& watchdog,
                                                     HttpTrace& trace) {
  std::string message;
  message.reserve(request.body.size() + request.fields.size() + 256);
  message.append("POST ").append(request.target).append(" HTTP/1.1\r\nHost: ");
  message.append(options_.authority);
  message.append(
      "\r\nUser-Agent: lichen\r\nAccept: application/json, text/event-stream\r\n"
      "Accept-Encoding: identity\r\n");
  message.append("Content-Type: application/json\r\nContent-Length: ");
  message.append(std::to_string(request.body.size())).append("\r\n").append(request.fields);
  message.append("\r\n").append(request.body);

  const auto asked = Clock::now();
  auto permit = co_await pool_->acquire(watchdog);
  trace.queued += Clock::now() - asked;
  if (!permit) co_return std::unexpected(permit.error());

  auto connection = pool_->take_idle();
  const bool reused = connection != nullptr;
  auto state =
      std::make_unique<HttpResponse::State>(std::move(*permit), std::move(connection), watchdog);
  state->max_body = request.max_response_bytes;
  for (bool may_be_stale = reused;; may_be_stale = false) {
    if (!state->connection) {
      state->connection = std::make_unique<Connection>(io_);
      const auto until = Clock::now() + options_.connect_timeout;
      auto done = co_await state->connection->connect(options_.host, tls_, until, watchdog);
      if (!done) {
        state->spent = true;
        co_return std::unexpected(done.error());
      }
    }
    watchdog.phase(Bound::headers, Clock::now() + request.headers_timeout);
    auto sent = co_await state->send(message);
    if (sent) trace.sent = true;
    // An endpoint that refuses a request early may answer and close while it is still being sent.
    auto got =
        sent || sent.error().fault != HttpFault::bound ? co_await state->read_header() : sent;
    if (sent || got) trace.bytes_sent += static_cast<std::int64_t>(request.body.size());
    if (got) break;
    const bool untouched = got.error().fault == HttpFault::reset && !state->heard;
    if (!may_be_stale || !untouched) {
      state->spent = true;
      co_return std::unexpected(got.error());
    }
    pool_->drop_idle();
    trace.sent = false;  // to nobody
    state->connection.reset();
    state->spent = false;
  }
  watchdog.end_phase();
  co_return HttpResponse(std::move(state));
}

}  // namespace lichen::model
