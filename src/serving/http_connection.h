// One HTTP/1.1 connection: reads requests, has them answered one after another, keeps limits.
#pragma once

#include <array>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <compare>
#include <memory>
#include <optional>
#include <string>

#include "serving/exchange.h"
#include "serving/http_guard.h"
#include "serving/shard.h"

namespace lichen::serving {

/// Lives on its shard's thread. While a turn runs, the connection reads ahead: so it sees when the
/// client leaves, and what a pipelining client sends meanwhile waits its turn in the buffer.
class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  /// `crowded`: there are as many as there may be. Where no other makes room, this one answers one
  /// request with 503 and closes.
  Connection(boost::asio::ip::tcp::socket socket, Shard& shard, bool crowded);

  /// Ends when the connection is closed.
  awaitable<void> run();

  /// Called by the shard now and then: enforces timeouts.
  void tick(Clock::time_point now);
  /// The server stops: ends now when idle, otherwise after the request in progress.
  void drain();
  /// Cancels the turn in progress, if any.
  void cancel_turn(Error why);
  /// The time to end has come: cancels the turn; a request that is not there yet is not waited for.
  void end();
  /// Closes the connection, whatever it is doing.
  void cut();

  /// Who is closed to make room: the lower `rank`, then whoever is at it for longer.
  struct Standing {
    int rank = 0;
    Clock::time_point since = {};
    auto operator<=>(const Standing&) const = default;
  };
  /// None: it is to stay.
  std::optional<Standing> standing(Clock::time_point now) const;
  /// Whether it is one of those over the limit.
  bool refused() const { return refuse_; }

  const HttpRequest& request() const override { return parser_->get(); }
  boost::asio::any_io_executor executor() override { return socket_.get_executor(); }
  awaitable<void> respond(HttpResponse response) override;
  void begin_stream(HttpResponse head) override;
  awaitable<bool> write(std::string_view data) override;
  awaitable<bool> finish(std::string_view data) override;
  void watch(std::optional<Clock::time_point> deadline, std::function<void(Error)> stop) override;

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  enum class Phase : std::uint8_t { idle, header, body, busy, writing };
  class Registration;
  enum class Framing : std::uint8_t { length, chunked, until_close };

  awaitable<bool> serve_one();
  awaitable<std::optional<HttpFault>> read_header();
  awaitable<std::optional<HttpFault>> read_body();
  std::optional<HttpFault> check_header();
  awaitable<void> handle();
  awaitable<void> close();

  /// Starts a read unless one is pending.
  void read();
  /// The same unless enough is buffered.
  void read_ahead();
  void on_read(boost::system::error_code error, std::size_t size);
  /// Waits for more bytes; false at the end of the connection, and when the time is over.
  awaitable<bool> more();

  void stage_head(const HttpResponse& response, Framing framing);
  /// Sends the staged header, `data` and what ends it, in one go.
  awaitable<bool> send(std::string_view data, bool last);
  void enter(Phase phase, std::chrono::milliseconds timeout);
  HttpFault reading_failed() const;
  void report();

  boost::asio::ip::tcp::socket socket_;
  Shard& shard_;
  const HttpOptions& options_;
  Handler& handler_;
  bool refuse_;

  // Reading
  std::array<char, 8192> chunk_;
  boost::beast::flat_buffer buffer_;
  bool reading_ = false;
  boost::system::error_code read_error_;
  boost::asio::experimental::channel<void(boost::system::error_code)> arrived_;
  Parser* parser_ = nullptr;  // of the request in progress; lives in serve_one

  // Writing
  std::string head_;
  std::string cors_;  // lines for the web page of another server that asks
  Framing framing_ = Framing::length;
  unsigned status_ = 0;  // of the response; 0: none yet
  bool done_ = false;    // the response is complete
  bool keep_alive_ = false;
  bool write_failed_ = false;

  // Time
  Phase phase_ = Phase::idle;
  Clock::time_point since_ = Clock::now();  // the phase began
  bool asked_ = false;                      // a request has come, ever
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  Clock::time_point started_;
  std::optional<Clock::time_point> turn_deadline_;
  std::function<void(Error)> stop_turn_;
};

}  // namespace lichen::serving
