#include "model/remote/fake_upstream.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace lichen::model {

namespace asio = boost::asio;
namespace json = boost::json;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

std::string finish_json(std::string_view reason) {
  return R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + std::string(reason) + R"("}]})";
}

std::string usage_json(int prompt_tokens, int completion_tokens) {
  return R"({"choices":[],"usage":{"prompt_tokens":)" + std::to_string(prompt_tokens) +
         R"(,"completion_tokens":)" + std::to_string(completion_tokens) + "}}";
}

std::string as_event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }

std::string as_chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

}  // namespace

std::string delta_json(std::string_view text) {
  return json::serialize(
      json::value{{"choices", json::array{{{"index", 0}, {"delta", {{"content", text}}}}}}});
}

std::string chat_stream(std::initializer_list<std::string_view> pieces, int prompt_tokens) {
  std::string bytes;
  for (const auto piece : pieces) bytes += as_event(delta_json(piece));
  return bytes + as_event(finish_json("stop")) +
         as_event(usage_json(prompt_tokens, static_cast<int>(pieces.size()))) + as_event("[DONE]");
}

Reply Reply::json(std::string_view body, int status, std::string_view fields) {
  Reply reply;
  reply.send("HTTP/1.1 " + std::to_string(status) +
             " Scripted\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" +
             std::string(body));
  return reply;
}

Reply Reply::chat(std::initializer_list<std::string_view> pieces, int prompt_tokens) {
  Reply reply = events();
  for (const auto piece : pieces) reply.delta(piece);
  reply.finish().usage(prompt_tokens, static_cast<int>(pieces.size())).done();
  return reply;
}

Reply Reply::chat_whole(std::string_view text, int prompt_tokens, int completion_tokens) {
  return json(json::serialize(json::value{
      {"choices", json::array{{{"index", 0},
                               {"message", {{"role", "assistant"}, {"content", text}}},
                               {"finish_reason", "stop"}}}},
      {"usage", {{"prompt_tokens", prompt_tokens}, {"completion_tokens", completion_tokens}}}}));
}

Reply Reply::events() {
  Reply reply;
  reply.send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  return reply;
}

Reply& Reply::event(std::string_view data) { return send(as_chunk(as_event(data))); }
Reply& Reply::delta(std::string_view text) { return event(delta_json(text)); }
Reply& Reply::finish(std::string_view reason) { return event(finish_json(reason)); }
Reply& Reply::usage(int prompt_tokens, int completion_tokens) {
  return event(usage_json(prompt_tokens, completion_tokens));
}
Reply& Reply::done() { return event("[DONE]").end(); }
Reply& Reply::end() { return send("0\r\n\r\n"); }

Reply& Reply::chunks(std::string_view bytes, std::size_t size) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    send(as_chunk(bytes.substr(0, size)));
  }
  return *this;
}

Reply& Reply::send(std::string_view bytes) {
  steps_.emplace_back(Send{std::string(bytes)});
  return *this;
}
Reply& Reply::wait(std::chrono::milliseconds time) {
  steps_.emplace_back(Wait{time});
  return *this;
}
Reply& Reply::stall() {
  steps_.emplace_back(Stall{});
  return *this;
}
Reply& Reply::close() {
  steps_.emplace_back(Close{false});
  return *this;
}
Reply& Reply::reset() {
  steps_.emplace_back(Close{true});
  return *this;
}

struct FakeUpstream::Server {
  /// One client.
  struct Peer {
    explicit Peer(tcp::socket accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    std::optional<ssl::stream<tcp::socket&>> tls;

    asio::awaitable<std::tuple<error_code, std::size_t>> write(const std::string& bytes) {
      return tls ? asio::async_write(*tls, asio::buffer(bytes), kAwait)
                 : asio::async_write(socket, asio::buffer(bytes), kAwait);
    }
    template <class Condition>
    asio::awaitable<std::tuple<error_code, std::size_t>> read(std::string& into, Condition until) {
      auto buffer = asio::dynamic_buffer(into, 64u << 20);
      return tls ? asio::async_read(*tls, buffer, until, kAwait)
                 : asio::async_read(socket, buffer, until, kAwait);
    }
  };

  Server(Script what, std::optional<TestIdentity> identity) : script(std::move(what)) {
    if (identity) {
      tls.emplace(ssl::context::tls_server);
      tls->use_certificate_chain(asio::buffer(identity->certificate));
      tls->use_private_key(asio::buffer(identity->key), ssl::context::pem);
    }
    asio::co_spawn(io, accept(), report);
    thread = std::thread([this] { io.run(); });
  }
  ~Server() {
    io.stop();
    thread.join();
  }

  static void report(std::exception_ptr problem) {
    if (problem) std::abort();  // a defect of the test
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(kAwait);
      if (error) co_return;
      socket.set_option(tcp::no_delay(true), error);
      int number = 0;
      {
        std::lock_guard lock(mutex);
        number = ++connections;
        most_open = std::max(most_open, connections - closed);
      }
      asio::co_spawn(io, serve(std::make_unique<Peer>(std::move(socket)), number), report);
    }
  }

  asio::awaitable<void> serve(std::unique_ptr<Peer> peer, int number) {
    co_await talk(*peer, number);
    error_code ignored;
    peer->socket.close(ignored);
    std::lock_guard lock(mutex);
    ++closed;
    changed.notify_all();
  }

  asio::awaitable<void> talk(Peer& peer, int number) {
    if (tls) {
      peer.tls.emplace(peer.socket, *tls);
      auto [error] = co_await peer.tls->async_handshake(ssl::stream_base::server, kAwait);
      if (error) co_return;
    }
    std::string unread;
    for (int count = 1;; ++count) {
      auto request = co_await read_request(peer, unread);
      if (!request) co_return;
      request->connection = number;
      request->on_connection = count;
      {
        std::lock_guard lock(mutex);
        requests.push_back(*request);
      }
      const Reply reply = script(*request);
      for (const auto& step : reply.steps_) {
        if (!co_await act(peer, step)) co_return;
      }
    }
  }

  /// False when the conversation is over.
  template <class Step>
  asio::awaitable<bool> act(Peer& peer, const Step& step) {
    if (const auto* send = std::get_if<Reply::Send>(&step)) {
      auto [error, size] = co_await peer.write(send->bytes);
      co_return !error;
    }
    if (const auto* wait = std::get_if<Reply::Wait>(&step)) {
      asio::steady_timer timer(io, wait->time);
      co_await timer.async_wait(kAwait);
      co_return true;
    }
    if (const auto* close = std::get_if<Reply::Close>(&step)) {
      error_code ignored;
      if (close->reset) peer.socket.set_option(asio::socket_base::linger(true, 0), ignored);
      co_return false;
    }
    std::string unread;
    co_await peer.read(unread, asio::transfer_all());  // ends when the client leaves
    co_return false;
  }

  asio::awaitable<std::optional<Received>> read_request(Peer& peer, std::string& unread) {
    std::size_t end;
    while ((end = unread.find("\r\n\r\n")) == std::string::npos) {
      auto [error, size] = co_await peer.read(unread, asio::transfer_at_least(1));
      if (error) co_return std::nullopt;
    }
    Received request;
    std::string_view head(unread.data(), end);
    auto line = head.substr(0, head.find("\r\n"));
    request.method = line.substr(0, line.find(' '));
    line.remove_prefix(request.method.size() + 1);
    request.target = line.substr(0, line.find(' '));
    for (auto at = head.find("\r\n"); at != std::string_view::npos;) {
      const auto next = head.find("\r\n", at + 2);
      line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
      std::string name(line.substr(0, line.find(':')));
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      request.fields[name] = line.substr(std::min(line.size(), name.size() + 2));
      at = next;
    }
    const auto length = std::strtoul(request.fields["content-length"].c_str(), nullptr, 10);
    unread.erase(0, end + 4);
    if (unread.size() < length) {
      const auto missing = length - unread.size();
      auto [error, size] = co_await peer.read(unread, asio::transfer_exactly(missing));
      if (error) co_return std::nullopt;
    }
    request.body = unread.substr(0, length);
    unread.erase(0, length);
    co_return request;
  }

  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::optional<ssl::context> tls;
  const Script script;  // on the server's thread

  mutable std::mutex mutex;  // guards what follows
  mutable std::condition_variable changed;
  std::vector<Received> requests;
  int connections = 0;
  int closed = 0;
  int most_open = 0;

  std::thread thread;
};

namespace {

FakeUpstream::Script one_after_the_other(std::vector<Reply> replies) {
  return [replies = std::move(replies), next = std::size_t{0}](const auto&) mutable {
    return replies[std::min(next++, replies.size() - 1)];
  };
}

}  // namespace

FakeUpstream::FakeUpstream(Script script, std::optional<TestIdentity> tls)
    : server_(std::make_unique<Server>(std::move(script), std::move(tls))) {}
FakeUpstream::FakeUpstream(std::vector<Reply> replies, std::optional<TestIdentity> tls)
    : FakeUpstream(one_after_the_other(std::move(replies)), std::move(tls)) {}
FakeUpstream::~FakeUpstream() = default;

std::uint16_t FakeUpstream::port() const { return server_->acceptor.local_endpoint().port(); }

std::string FakeUpstream::url(std::string_view host) const {
  return (server_->tls ? "https://" : "http://") + std::string(host) + ":" +
         std::to_string(port()) + "/v1";
}

std::vector<FakeUpstream::Received> FakeUpstream::requests() const {
  std::lock_guard lock(server_->mutex);
  return server_->requests;
}

int FakeUpstream::connections() const {
  std::lock_guard lock(server_->mutex);
  return server_->connections;
}

int FakeUpstream::most_connections() const {
  std::lock_guard lock(server_->mutex);
  return server_->most_open;
}

bool FakeUpstream::wait_for_closed(int count) const {
  std::unique_lock lock(server_->mutex);
  return server_->changed.wait_for(lock, std::chrono::seconds(10),
                                   [&] { return server_->closed >= count; });
}

}  // namespace lichen::model
