#include "serving/http_connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

/// Pipelined bytes kept while a turn runs; beyond, a client that leaves is noticed when written to.
constexpr std::size_t kReadAheadLimit = 64u << 10;
/// Of a long reply, for each of which a client has `write_timeout`.
constexpr std::size_t kWriteSlice = 1u << 20;
/// Of a chunk's header, with its extensions, and of a trailer: the parser keeps no bound to them.
constexpr std::size_t kMostChunkHeader = 16u << 10;
/// After the last response: how long, and up to how many bytes, what the client still sends is
/// read. Closing a socket with unread data would reset it and could destroy that response.
constexpr auto kLinger = std::chrono::seconds(1);
constexpr std::size_t kLingerBytes = 1u << 20;

HttpFault fault_of(error_code error, const HttpServer& server) {
  if (error == http::error::header_limit) {
    return {431, "the header is longer than " + std::to_string(server.options().max_header_bytes) +
                     " bytes"};
  }
  if (error == http::error::body_limit) {
    return {413, "the body is longer than " + std::to_string(server.max_body_bytes()) + " bytes"};
  }
  if (error == http::error::bad_version) return {505, "only HTTP/1.1 and HTTP/1.0 are spoken"};
  return {400, "not a valid HTTP request: " + error.message()};
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Shard& shard, bool crowded)
    : socket_(std::move(socket)),
      shard_(shard),
      options_(shard.server().options()),
      handler_(shard.server().handler()),
      refuse_(crowded),
      arrived_(socket_.get_executor(), 1) {}

/// The shard ticks what it knows of, so a connection must not go without being taken out.
class Connection::Registration {
 public:
  explicit Registration(Connection& connection) : connection_(connection) {
    connection.shard_.add(connection);
  }
  ~Registration() {
    connection_.shard_.remove(connection_);
    error_code ignored;
    connection_.socket_.close(ignored);  // ends a pending read, which would keep it alive
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Connection& connection_;
};

awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  if (refuse_) {
    // Whoever takes the place of one that was over the limit is over it, too.
    const Connection* const victim = shard_.make_room();
    refuse_ = victim == nullptr || victim->refused();
    if (refuse_) shard_.server().count_refused();
  }
  const Registration registration(*this);
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  while (co_await serve_one()) {
  }
  co_await close();
}

awaitable<bool> Connection::serve_one() {
  Parser parser;
  parser_ = &parser;
  parser_->header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
  status_ = 0;
  done_ = false;
  keep_alive_ = false;
  notes = {};
  cors_.clear();

  auto fault = co_await read_header();
  if (!fault) fault = check_header();
  std::optional<HttpResponse> preflight;
  std::optional<HttpResponse> refusal;
  if (!fault && !cors_.empty()) preflight = preflight_answer(request());
  if (!fault && !preflight) refusal = handler_.admit(request());
  if (!fault && !refusal) fault = co_await read_body();
  if (fault && fault->status == 0) co_return false;

  enter(Phase::busy, {});  // it takes what it takes; the turn has its own deadline
  keep_alive_ = !fault && !refusal && !shard_.server().stopping() && request().keep_alive();
  if (fault) {
    co_await respond(handler_.refusal(fault->status, std::move(fault->detail)));
  } else if (refusal) {
    co_await respond(std::move(*refusal));
  } else if (preflight) {
    co_await respond(std::move(*preflight));
  } else {
    co_await handle();
  }
  report();
  co_return done_&& keep_alive_ && !write_failed_;
}

awaitable<void> Connection::handle() {
  bool failed = false;
  try {
    co_await handler_.handle(*this);
  } catch (const std::exception& problem) {
    spdlog::error("{}: {}", notes.route, problem.what());
    failed = true;
  }
  stop_turn_ = nullptr;
  turn_deadline_.reset();
  if (done_) co_return;
  keep_alive_ = false;
  if (status_ == 0) {
    co_await respond(handler_.refusal(
        500, failed ? "a defect of the server; its log says more" : "the route gave no response"));
  }
}

awaitable<std::optional<HttpFault>> Connection::read_header() {
  enter(Phase::idle, options_.idle_timeout);
  if (buffer_.size() == 0) {
    if (shard_.server().stopping() || !co_await more()) co_return HttpFault{};
  }
  started_ = Clock::now();
  parser_->body_limit(shard_.server().max_body_bytes());  // as it is now: it was idle till here
  enter(Phase::header, options_.header_timeout);
  bool started = false;
  while (!parser_->is_header_done()) {
    // RFC 9112, section 2.2: an empty line before the request is skipped.
    while (!started && buffer_.size() >= 2 &&
           std::string_view(static_cast<const char*>(buffer_.data().data()), 2) == "\r\n") {
      buffer_.consume(2);
    }
    error_code error;
    if (buffer_.size() > 0) {
      buffer_.consume(parser_->put(buffer_.data(), error));
      started = true;
    }
    if (error && error != http::error::need_more) co_return fault_of(error, shard_.server());
    if (!parser_->is_header_done() && !co_await more()) co_return reading_failed();
  }
  co_return std::nullopt;
}

std::optional<HttpFault> Connection::check_header() {
  if (refuse_) return HttpFault{503, "too many connections"};
  if (auto fault = check_framing(request())) return fault;
  const auto sites = shard_.server().sites();
  if (auto fault = check_host(request(), *sites, shard_.server().loopback())) return fault;
  const auto origin = cross_origin(request(), *sites);
  if (!origin) return origin.error();
  cors_ = cors_lines(*origin);
  if (request().count(http::field::expect) > 0 &&
      !beast::iequals(request()[http::field::expect], "100-continue")) {
    return HttpFault{417, "Expect: only `100-continue` is understood"};
  }
  return std::nullopt;
}

awaitable<std::optional<HttpFault>> Connection::read_body() {
  asked_ = true;
  enter(Phase::body, options_.body_timeout);
  if (!parser_->is_done() && buffer_.size() == 0 && request().version() == 11 &&
      request().count(http::field::expect) > 0) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(kContinue), kTuple);
    if (error) co_return HttpFault{};
  }
  parser_->eager(true);
  while (!parser_->is_done()) {
    error_code error;
    if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), error));
    if (error && error != http::error::need_more) co_return fault_of(error, shard_.server());
    if (parser_->is_done()) break;
    if (buffer_.size() > kMostChunkHeader) {
      co_return HttpFault{400, "a chunk's header or the trailer is longer than " +
                                   std::to_string(kMostChunkHeader) + " bytes"};
    }
    if (!co_await more()) co_return reading_failed();
  }
  co_return std::nullopt;
}

void Connection::read_ahead() {
  if (buffer_.size() <= kReadAheadLimit) read();
}

void Connection::read() {
  if (reading_ || read_error_) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->on_read(error, size);
                          });
}

void Connection::on_read(error_code error, std::size_t size) {
  reading_ = false;
  if (size > 0) {
    asio::buffer_copy(buffer_.prepare(size), asio::buffer(chunk_, size));
    buffer_.commit(size);
  }
  read_error_ = error;
  arrived_.try_send(error_code{});
  if (!stop_turn_) return;
  if (error) {
    cancel_turn(Error{Errc::cancelled, "the client closed the connection"});
  } else {
    read_ahead();
  }
}

awaitable<bool> Connection::more() {
  const std::size_t before = buffer_.size();
  // A timeout that found no read to cancel shows in `timed_out_` alone.
  while (buffer_.size() == before && !read_error_ && !timed_out_) {
    read();
    co_await arrived_.async_receive(kTuple);
  }
  co_return buffer_.size() > before && !timed_out_;
}

HttpFault Connection::reading_failed() const {
  if (timed_out_) return {408, "the request did not arrive in time"};
  return {};
}

awaitable<void> Connection::respond(HttpResponse response) {
  const bool head_only = parser_->is_header_done() && request().method() == http::verb::head;
  stage_head(response, Framing::length);
  co_await send(head_only ? std::string_view{} : std::string_view(response.body), true);
}

void Connection::begin_stream(HttpResponse head) {
  const bool chunked = request().version() == 11;
  if (!chunked) keep_alive_ = false;
  stage_head(head, chunked ? Framing::chunked : Framing::until_close);
}

awaitable<bool> Connection::write(std::string_view data) {
  // An empty chunk would end the stream.
  if (data.empty()) co_return !write_failed_;
  co_return co_await send(data, false);
}

awaitable<bool> Connection::finish(std::string_view data) { co_return co_await send(data, true); }

void Connection::stage_head(const HttpResponse& response, Framing framing) {
  framing_ = framing;
  status_ = response.status;
  if (shard_.server().stopping()) keep_alive_ = false;
  const auto add = [this](const auto&... parts) { (head_.append(parts), ...); };
  head_.clear();
  const auto reason = http::obsolete_reason(http::int_to_status(response.status));
  add("HTTP/1.1 ", std::to_string(response.status), " ",
      response.status == 499 ? "Client Closed Request" : std::string_view(reason),
      "\r\nDate: ", shard_.date(), "\r\nContent-Type: ", response.content_type, "\r\n");
  if (framing == Framing::length) {
    add("Content-Length: ", std::to_string(response.body.size()), "\r\n");
  } else if (framing == Framing::chunked) {
    add("Transfer-Encoding: chunked\r\n");
  }
  if (!keep_alive_) {
    add("Connection: close\r\n");
  } else if (request().version() == 10) {
    add("Connection: keep-alive\r\n");
  }
  add(cors_);
  for (const auto& [name, value] : response.headers) add(name, ": ", value, "\r\n");
  add("\r\n");
}

awaitable<bool> Connection::send(std::string_view data, bool last) {
  if (write_failed_) co_return false;
  std::array<char, 20> size_line;
  std::size_t size_length = 0;
  std::string_view end;
  if (framing_ == Framing::chunked) {
    if (!data.empty()) {
      char* const line = size_line.data();
      char* at = std::to_chars(line, line + size_line.size() - 2, data.size(), 16).ptr;
      *at++ = '\r';
      *at++ = '\n';
      size_length = static_cast<std::size_t>(at - line);
      end = last ? "\r\n0\r\n\r\n" : "\r\n";
    } else if (last) {
      end = "0\r\n\r\n";
    }
  }
  const std::array<asio::const_buffer, 4> parts = {asio::buffer(head_),
                                                   asio::buffer(size_line.data(), size_length),
                                                   asio::buffer(data), asio::buffer(end)};
  std::size_t renewed = 0;
  const auto more = [this, &renewed](const error_code& error, std::size_t sent) -> std::size_t {
    if (error) return 0;
    if (sent == 0 || sent - renewed >= kWriteSlice) {
      enter(Phase::writing, options_.write_timeout);
      renewed = sent;
    }
    return kWriteSlice;
  };
  auto [error, sent] = co_await asio::async_write(socket_, parts, more, kTuple);
  enter(Phase::busy, {});
  head_.clear();
  write_failed_ = static_cast<bool>(error);
  if (last) done_ = true;
  co_return !error;
}

void Connection::watch(std::optional<Clock::time_point> deadline, std::function<void(Error)> stop) {
  turn_deadline_ = deadline;
  stop_turn_ = std::move(stop);
  if (!stop_turn_) return;
  if (read_error_) {
    cancel_turn(Error{Errc::cancelled, "the client closed the connection"});
  } else {
    read_ahead();
  }
}

void Connection::enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  since_ = Clock::now();
  deadline_ = phase == Phase::busy ? Clock::time_point::max() : since_ + timeout;
}

void Connection::tick(Clock::time_point now) {
  if (turn_deadline_ && now >= *turn_deadline_) {
    cancel_turn(Error{Errc::deadline_exceeded, "the request's deadline has passed"});
  }
  if (now < deadline_) return;
  timed_out_ = true;
  deadline_ = Clock::time_point::max();
  error_code ignored;
  if (phase_ == Phase::writing) {
    socket_.close(ignored);
  } else {
    socket_.cancel(ignored);
  }
}

void Connection::drain() {
  error_code ignored;
  if (phase_ == Phase::idle) socket_.cancel(ignored);
}

void Connection::cancel_turn(Error why) {
  if (stop_turn_) stop_turn_(std::move(why));
}

void Connection::end() {
  cancel_turn(Error{Errc::overloaded, "the server is shutting down"});
  // After the last response it ends by itself, soon.
  if (!done_ && phase_ != Phase::busy && phase_ != Phase::writing) cut();
}

void Connection::cut() {
  error_code ignored;
  socket_.close(ignored);
}

std::optional<Connection::Standing> Connection::standing(Clock::time_point now) const {
  if (!socket_.is_open()) return std::nullopt;
  const auto patience = options_.patience;
  const auto for_longer_than = [&](auto time) { return now - since_ > time; };
  switch (phase_) {
    case Phase::idle:
      if (!for_longer_than(patience)) return std::nullopt;
      return Standing{.rank = asked_ ? 1 : 0, .since = since_};
    case Phase::header:
      if (!for_longer_than(patience)) return std::nullopt;
      return Standing{.rank = 0, .since = since_};
    case Phase::body:
    case Phase::writing:
      if (!for_longer_than(5 * patience)) return std::nullopt;
      return Standing{.rank = 2, .since = since_};
    case Phase::busy: return std::nullopt;
  }
  return std::nullopt;
}

awaitable<void> Connection::close() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  enter(Phase::idle, kLinger);
  timed_out_ = false;
  std::size_t discarded = 0;
  while (!read_error_ && !write_failed_ && discarded < kLingerBytes) {
    discarded += buffer_.size();
    buffer_.clear();
    if (!co_await more()) break;
  }
}

void Connection::report() {
  const bool parsed = parser_->is_header_done();
  const std::string_view method = parsed ? std::string_view(request().method_string()) : "-";
  const std::chrono::duration<double, std::milli> took = Clock::now() - started_;
  handler_.served(Served{.method = method,
                         .path = parsed ? path() : std::string_view("-"),
                         .status = status_,
                         .ms = took.count(),
                         .notes = notes});
}

}  // namespace lichen::serving
