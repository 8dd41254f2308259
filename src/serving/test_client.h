// A small raw HTTP client for tests: says exactly what it is told to, reads what comes back.
#pragma once

#include <poll.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <string>
#include <string_view>

namespace lichen::serving {

struct TestReply {
  int status = 0;  // 0: the connection ended before a whole response
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};
  bool whole = false;  // false: the connection ended in the body
};

class TestClient {
 public:
  explicit TestClient(int port) : socket_(io_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  }

  void send(std::string_view bytes) {
    boost::system::error_code ignored;  // the server may have closed already
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }

  TestReply get(std::string_view path, std::string_view headers = {}) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
         "\r\n");
    return read();
  }
  TestReply post(std::string_view path, std::string_view body, std::string_view headers = {}) {
    send(post_text(path, body, headers));
    return read();
  }
  static std::string post_text(std::string_view path, std::string_view body,
                               std::string_view headers = {}) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
           std::string(headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

  /// `bodiless`: to a HEAD request, or an interim response.
  TestReply read(bool bodiless = false) {
    TestReply reply;
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      if (!take(head, 1)) return {};
    }
    read_head(head, reply);
    reply.whole = true;
    if (bodiless || reply.status == 100) return reply;
    if (const auto length = reply.headers.find("content-length"); length != reply.headers.end()) {
      reply.whole = take(reply.body, std::stoul(length->second));
    } else if (reply.headers.contains("transfer-encoding")) {
      reply.whole = read_chunks(reply.body);
    } else {
      while (take(reply.body, 1)) {
      }
    }
    return reply;
  }

  /// Reads at least up to and with `text`; false when the connection ends before.
  bool read_until(std::string_view text, std::string& seen) {
    while (seen.find(text) == seen.npos) {
      if (!take(seen, 1)) return false;
    }
    return true;
  }

  /// Whether the server closes, without sending anything more.
  bool closed() {
    std::string rest;
    return !take(rest, 1);
  }
  bool readable(int ms) {
    pollfd poll_fd{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
    return !buffer_.empty() || poll(&poll_fd, 1, ms) > 0;
  }

  void close() { socket_.close(); }
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  bool take(std::string& out, std::size_t size) {
    while (buffer_.size() < size) {
      std::array<char, 65536> chunk;
      boost::system::error_code error;
      const std::size_t got = socket_.read_some(boost::asio::buffer(chunk), error);
      if (error) {
        out += buffer_;
        buffer_.clear();
        return false;
      }
      buffer_.append(chunk.data(), got);
    }
    out.append(buffer_, 0, size);
    buffer_.erase(0, size);
    return true;
  }

  static void read_head(const std::string& head, TestReply& reply) {
    reply.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; head[at] != '\r';) {
      const std::size_t colon = head.find(": ", at);
      const std::size_t end = head.find("\r\n", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      reply.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }

  bool read_chunks(std::string& body) {
    for (;;) {
      std::string line;
      while (!line.ends_with("\r\n")) {
        if (!take(line, 1)) return false;
      }
      const std::size_t size = std::stoul(line, nullptr, 16);
      std::string chunk;
      if (!take(chunk, size + 2)) return false;
      body.append(chunk, 0, size);
      if (size == 0) return true;
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string buffer_;
};

}  // namespace lichen::serving
