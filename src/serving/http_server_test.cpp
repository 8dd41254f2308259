#include "serving/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "serving/test_client.h"

namespace lichen::serving {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// Says back what it was sent; by path also slowly, never, or as a stream.
class Echo final : public Handler {
 public:
  std::optional<HttpResponse> admit(const HttpRequest& header) override {
    if (header.target() == "/broken") throw std::runtime_error("a defect");
    if (header.target() == "/refused") return HttpResponse{.status = 401, .body = "no"};
    return std::nullopt;
  }
  awaitable<void> handle(Exchange& exchange) override {
    ++handled;
    if (exchange.path() == "/hang") {
      co_await hang(exchange);
    } else if (exchange.path() == "/stream") {
      exchange.begin_stream({.content_type = "text/event-stream"});
      co_await exchange.write("one");
      co_await exchange.write("two");
      co_await exchange.finish("three");
    } else if (exchange.path() == "/slow") {
      co_await take_time(exchange);
    } else if (exchange.path() == "/flood") {
      co_await flood(exchange);
    } else if (exchange.path() == "/throw") {
      throw std::runtime_error("a defect");
    } else if (exchange.path() != "/silent") {
      HttpResponse response{.body = exchange.request().body(), .content_type = "text/plain"};
      response.headers.emplace_back("x-path", std::string(exchange.path()));
      co_await exchange.respond(std::move(response));
    }
  }
  HttpResponse refusal(unsigned status, std::string detail) override {
    return {.status = status, .body = std::move(detail), .content_type = "text/plain"};
  }
  void served(const Served& response) override { last_status = response.status; }

  std::atomic<int> handled = 0;
  std::atomic<unsigned> last_status = 0;
  std::atomic<Errc> stopped = Errc::internal;  // why /hang or /flood ended
  std::atomic<bool> hanging = false;

 private:
  /// Waits until it is stopped.
  awaitable<void> hang(Exchange& exchange) {
    asio::steady_timer timer(exchange.executor(), asio::steady_timer::time_point::max());
    exchange.watch(Clock::now() + 10min, [this, &timer](const Error& why) {
      stopped = why.code;
      timer.cancel();
    });
    hanging = true;
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await exchange.respond({.status = 499});
  }
  /// Answers after a while, unless it is stopped.
  awaitable<void> take_time(Exchange& exchange) {
    asio::steady_timer timer(exchange.executor(), 150ms);
    exchange.watch({}, [this, &timer](const Error& why) {
      stopped = why.code;
      timer.cancel();
    });
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await exchange.respond({.status = error ? 499U : 200U});
  }
  /// Writes without end.
  awaitable<void> flood(Exchange& exchange) {
    exchange.watch({}, [this](const Error& why) { stopped = why.code; });
    exchange.begin_stream({});
    const std::string block(1 << 16, 'x');
    while (co_await exchange.write(block)) {
    }
    if (stopped == Errc::internal) stopped = Errc::upstream;
    co_await exchange.finish({});
  }
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    options.port = 0;
    options.tick = 5ms;
    auto server = HttpServer::listen(io_, options, echo_);
    ASSERT_TRUE(server.has_value()) << server.error().detail;
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (server_) server_->stop();
    if (thread_.joinable()) thread_.join();
  }
  void TearDown() override { stop(); }
  int port() const { return server_->port(); }
  template <class Condition>
  static void wait_for(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }

  asio::io_context io_{1};
  Echo echo_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  TestClient client(port());
  for (const std::string body : {"a", "", "ccc"}) {
    const auto reply = client.post("/echo?key=secret", body);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, body);
    EXPECT_EQ(reply.headers.at("x-path"), "/echo");
    EXPECT_EQ(reply.headers.at("content-length"), std::to_string(body.size()));
    EXPECT_TRUE(reply.headers.at("date").ends_with(" GMT"));
    EXPECT_FALSE(reply.headers.contains("connection"));
  }
}

TEST_F(HttpServerTest, ClosesWhenTheClientAsksForIt) {
  start();
  TestClient client(port());
  const auto reply = client.get("/", "Connection: close\r\n");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, Http10ClosesUnlessKeepAlive) {
  start();
  TestClient closing(port());
  closing.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(closing.read().status, 200);
  EXPECT_TRUE(closing.closed());

  TestClient keeping(port());
  keeping.send("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(keeping.read().headers.at("connection"), "keep-alive");
  EXPECT_EQ(keeping.get("/").status, 200);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  TestClient client(port());
  std::string all = "\r\n";  // an empty line before a request is allowed
  for (int i = 0; i < 100; ++i) all += TestClient::post_text("/", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().body, std::to_string(i));
}

TEST_F(HttpServerTest, KeepsWhatIsPipelinedDuringAStream) {
  start();
  TestClient client(port());
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n" +
              TestClient::post_text("/", "next"));
  EXPECT_EQ(client.read().body, "onetwothree");
  EXPECT_EQ(client.read().body, "next");
}

TEST_F(HttpServerTest, ReadsARequestThatComesByteByByte) {
  start();
  TestClient client(port());
  client.socket().set_option(asio::ip::tcp::no_delay(true));
  for (const char c : TestClient::post_text("/", "slow")) client.send({&c, 1});
  EXPECT_EQ(client.read().body, "slow");
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  start();
  TestClient client(port());
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().body, "abcde");
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(HttpServerTest, HeadHasTheHeaderOnly) {
  start();
  TestClient client(port());
  client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client.read(true).headers.at("content-length"), "3");
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(HttpServerTest, StreamsToHttp10UntilClose) {
  start();
  TestClient client(port());
  client.send("GET /stream HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  const auto reply = client.read();
  EXPECT_FALSE(reply.headers.contains("transfer-encoding"));
  EXPECT_EQ(reply.body, "onetwothree");
}

TEST_F(HttpServerTest, ContinuesWhenAskedTo) {
  start();
  TestClient client(port());
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send("ok");
  EXPECT_EQ(client.read().body, "ok");
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: cake\r\n\r\n");
  EXPECT_EQ(client.read().status, 417);
}

TEST_F(HttpServerTest, RefusesBeforeTheBodyIsRead) {
  start();
  TestClient client(port());
  client.send(
      "POST /refused HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, HandlersThatFailGive500) {
  start();
  EXPECT_EQ(TestClient(port()).get("/throw").status, 500);
  EXPECT_EQ(TestClient(port()).get("/silent").status, 500);
}

/// A request that must not be let in, and the status that says so.
struct Hostile {
  const char* name;
  std::string text;
  int status = 400;
};

TEST_F(HttpServerTest, AConnectionThatEndsInAnExceptionIsForgotten) {
  start();
  {
    TestClient client(port());
    client.send("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(client.closed());
  }
  wait_for([this] { return server_->connections() == 0; });
  EXPECT_EQ(TestClient(port()).get("/echo").status, 200);
  stop();  // would touch it if it were still known
}

class HostileRequest : public HttpServerTest, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostileRequest, IsRefusedAndTheConnectionClosed) {
  start({.idle_timeout = 2s});
  TestClient client(port());
  client.send(GetParam().text);
  EXPECT_EQ(client.read().status, GetParam().status);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(echo_.handled, 0);
}

const std::string kPost = "POST / HTTP/1.1\r\nHost: localhost\r\n";
const std::string kChunked = "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Guard, HostileRequest,
    ::testing::Values(
        Hostile{"Xchunked", kPost + "Transfer-Encoding: xchunked\r\n" + kChunked},
        Hostile{"ChunkedIdentity", kPost + "Transfer-Encoding: chunked, identity\r\n" + kChunked},
        Hostile{"IdentityChunked", kPost + "Transfer-Encoding: identity, chunked\r\n" + kChunked},
        Hostile{"ChunkedTwice",
                kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + kChunked},
        Hostile{"ChunkedAndLength",
                kPost + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n" + kChunked},
        Hostile{"LengthAndChunked",
                kPost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + kChunked},
        Hostile{"ChunkedOnHttp10",
                "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + kChunked},
        Hostile{"SpaceBeforeColon", kPost + "Transfer-Encoding : chunked\r\n" + kChunked},
        Hostile{"LengthTwice", kPost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
        Hostile{"LengthRepeated", kPost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
        Hostile{"LengthList", kPost + "Content-Length: 1, 1\r\n\r\na"},
        Hostile{"LengthSigned", kPost + "Content-Length: +1\r\n\r\na"},
        Hostile{"LengthNegative", kPost + "Content-Length: -1\r\n\r\na"},
        Hostile{"LengthHex", kPost + "Content-Length: 0x1\r\n\r\na"},
        Hostile{"LengthBeyond64Bits",
                kPost + "Content-Length: 99999999999999999999999999\r\n\r\na"},
        Hostile{"ChunkSizeBeyond64Bits",
                kPost + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na"},
        Hostile{"ChunkSizeNegative", kPost + "Transfer-Encoding: chunked\r\n\r\n-1\r\na"},
        Hostile{"NoHost", "GET / HTTP/1.1\r\n\r\n"},
        Hostile{"TwoHosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"},
        Hostile{"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
        Hostile{"HostWithPath", "GET / HTTP/1.1\r\nHost: localhost/evil\r\n\r\n"},
        Hostile{"HostWithUser", "GET / HTTP/1.1\r\nHost: evil@localhost\r\n\r\n"},
        Hostile{"HostWithBadPort", "GET / HTTP/1.1\r\nHost: localhost:80x\r\n\r\n"},
        Hostile{"AbsoluteTarget", "GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        Hostile{"Connect", "CONNECT evil:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        Hostile{"BareLineFeeds", "GET / HTTP/1.1\nHost: localhost\n\n\r\n\r\n", 505},
        Hostile{"NulInHeader",
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n"},
        Hostile{"NotHttp", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
        Hostile{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Hostile{"OtherHost", "GET / HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n", 403},
        Hostile{"LoopbackLookalike", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 403},
        Hostile{"OtherOrigin",
                "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403},
        Hostile{"OriginNull", "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n", 403},
        Hostile{"OtherPortsOrigin",
                "GET / HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:2\r\n\r\n", 403},
        Hostile{
            "HeaderTooLong",
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(17 << 10, 'x') + "\r\n\r\n",
            431},
        Hostile{"TargetTooLong", "GET /" + std::string(17 << 10, 'x'), 431},
        Hostile{"BodyTooLong", kPost + "Content-Length: 99999999\r\n\r\n", 413}),
    [](const auto& test) { return test.param.name; });

TEST_F(HttpServerTest, LoopbackNamesAndOwnOriginAreLetIn) {
  start();
  for (const std::string host : {"localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:80"}) {
    TestClient client(port());
    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host + "\r\n\r\n");
    EXPECT_EQ(client.read().status, 200) << host;
  }
}

TEST_F(HttpServerTest, ChunkedBodiesHaveTheSameLimit) {
  start({.limits = {.max_body_bytes = 1'000}});
  TestClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 30; ++i) client.send("40\r\n" + std::string(64, 'x') + "\r\n");
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, SlowRequestsTimeOut) {
  start({.idle_timeout = 30ms, .header_timeout = 30ms, .body_timeout = 30ms});
  TestClient idle(port());
  EXPECT_TRUE(idle.closed());
  TestClient header(port());
  header.send("GET / HTT");
  EXPECT_EQ(header.read().status, 408);
  TestClient body(port());
  body.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(body.read().status, 408);
}

TEST_F(HttpServerTest, AnAnswerMayTakeLongerThanItsRequestMay) {
  start({.idle_timeout = 30ms, .header_timeout = 30ms, .body_timeout = 30ms});
  TestClient client(port());
  client.send("POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(echo_.stopped, Errc::internal) << "it was stopped";
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsDropped) {
  start({.write_timeout = 30ms});
  TestClient client(port());
  client.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_for([this] { return echo_.stopped != Errc::internal; });
  EXPECT_FALSE(client.read().whole);
}

TEST_F(HttpServerTest, AClientThatLeavesStopsItsTurn) {
  start();
  {
    TestClient client(port());
    client.send("GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\nGET /pipelined HTTP/1.1\r\n");
    wait_for([this] { return echo_.hanging.load(); });
  }
  wait_for([this] { return echo_.last_status == 499; });
  EXPECT_EQ(echo_.stopped, Errc::cancelled);
  EXPECT_EQ(echo_.handled, 1);
}

TEST_F(HttpServerTest, TooManyConnectionsGet503) {
  start({.limits = {.max_connections = 2}, .patience = 10min});
  TestClient first(port());
  TestClient second(port());
  EXPECT_EQ(first.get("/").status, 200);
  EXPECT_EQ(second.get("/").status, 200);
  {
    TestClient third(port());
    EXPECT_EQ(third.get("/").status, 503);
    EXPECT_TRUE(third.closed());
  }
  first.close();
  wait_for([this] { return server_->connections() < 2; });
  EXPECT_EQ(TestClient(port()).get("/").status, 200);
}

TEST_F(HttpServerTest, StoppingEndsIdleConnectionsAndCancelsTurnsAfterTheDrainTime) {
  start({.drain = 30ms});
  TestClient idle(port());
  EXPECT_EQ(idle.get("/").status, 200);
  TestClient busy(port());
  busy.send("GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_for([this] { return echo_.hanging.load(); });
  server_->stop();
  EXPECT_TRUE(idle.closed());
  const auto reply = busy.read();
  EXPECT_EQ(reply.status, 499);
  EXPECT_TRUE(busy.closed());
  busy.close();
  stop();
  EXPECT_EQ(echo_.stopped, Errc::overloaded);
  EXPECT_THROW(TestClient{port()}, boost::system::system_error);
}

TEST_F(HttpServerTest, WhatIsNotThereWhenTheDrainTimeIsOverIsNotWaitedFor) {
  start({.drain = 30ms});
  TestClient header(port()), body(port());
  header.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
  wait_for([this] { return server_->connections() == 2; });
  stop();
  EXPECT_TRUE(header.closed());
  EXPECT_TRUE(body.closed());
}

TEST_F(HttpServerTest, RepliesSayThatTheConnectionEndsWhenTheServerStops) {
  start({.drain = 10min});
  TestClient client(port());
  client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_for([this] { return echo_.handled == 1; });
  server_->stop();
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

/// Clients that have taken all places and, so they hope, keep them.
class CrowdedHttpServerTest : public HttpServerTest {
 protected:
  void TearDown() override {
    crowd_.clear();  // the server would wait for them
    HttpServerTest::TearDown();
  }
  /// Each sends `text`; the server has it when this returns, and no patience with it any more.
  void crowd(int count, std::string_view text, std::chrono::milliseconds patience) {
    for (int i = 0; i < count; ++i) {
      crowd_.push_back(std::make_unique<TestClient>(port()));
      crowd_.back()->send(text);
    }
    wait_for([&] { return server_->connections() >= count; });
    std::this_thread::sleep_for(patience + 30ms);
  }

  std::vector<std::unique_ptr<TestClient>> crowd_;
};

TEST_F(CrowdedHttpServerTest, SlowHeadersMakeRoom) {
  start({.limits = {.max_connections = 100}, .header_timeout = 10min, .patience = 20ms});
  crowd(100, "GET / HT", 20ms);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(TestClient(port()).get("/").status, 200);
  EXPECT_GE(server_->evicted(), 1);
  EXPECT_TRUE(crowd_.front()->closed()) << "it has been at it for longest";
}

TEST_F(CrowdedHttpServerTest, SilentConnectionsGoBeforeThoseThatHaveAsked) {
  start({.limits = {.max_connections = 2}, .patience = 20ms});
  TestClient served(port());
  EXPECT_EQ(served.get("/").status, 200);
  crowd(1, "", 20ms);
  TestClient third(port());
  EXPECT_EQ(third.get("/").status, 200);
  EXPECT_TRUE(crowd_.front()->closed());
  EXPECT_EQ(served.get("/").status, 200);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(TestClient(port()).get("/").status, 200) << "idle ones make room, too";
  EXPECT_TRUE(third.closed()) << "it has been idle for longest";
}

TEST_F(CrowdedHttpServerTest, SlowBodiesMakeRoom) {
  start({.limits = {.max_connections = 2}, .body_timeout = 10min, .patience = 5ms});
  crowd(2, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1", 25ms);
  EXPECT_EQ(TestClient(port()).get("/").status, 200);
}

TEST_F(CrowdedHttpServerTest, WhoDoesNotReadMakesRoom) {
  start({.limits = {.max_connections = 1}, .write_timeout = 10min, .patience = 5ms});
  crowd(1, "GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n", 25ms);
  wait_for([this] { return TestClient(port()).get("/").status == 200; });
  wait_for([this] { return echo_.stopped != Errc::internal; });
}

TEST_F(CrowdedHttpServerTest, AnswersInProgressAreNotTouched) {
  start({.limits = {.max_connections = 2}, .patience = 1ms});
  crowd(2, "GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n", 30ms);
  wait_for([this] { return echo_.handled == 2; });
  EXPECT_EQ(TestClient(port()).get("/").status, 503);
  EXPECT_EQ(server_->evicted(), 0);
  EXPECT_EQ(server_->refused(), 1);
}

TEST_F(CrowdedHttpServerTest, LimitsChangeWhileItRuns) {
  start({.patience = 10min});
  TestClient first(port());
  EXPECT_EQ(first.post("/", std::string(2'000, 'x')).status, 200);
  server_->set_limits({.max_connections = 1, .max_body_bytes = 1'000});
  EXPECT_EQ(TestClient(port()).get("/").status, 503);
  EXPECT_EQ(first.post("/", std::string(2'000, 'x')).status, 413);
}

TEST_F(CrowdedHttpServerTest, AnAddressHasSoManyConnections) {
  start({.limits = {.max_connections_per_address = 2}});
  TestClient first(port());
  EXPECT_EQ(first.get("/").status, 200);
  {
    TestClient second(port());
    EXPECT_EQ(second.get("/").status, 200);
    EXPECT_TRUE(TestClient(port()).closed());
    EXPECT_EQ(server_->refused(), 1);
  }
  wait_for([this] { return server_->connections() == 1; });
  EXPECT_EQ(TestClient(port()).get("/").status, 200);
}

TEST_F(HttpServerTest, LeavesNothingBehindInTheCallersContext) {
  // Connections that end just when the server stops ask twice for its end.
  for (int i = 0; i < 20; ++i) {
    start();
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int k = 0; k < 8; ++k) {
      clients.push_back(std::make_unique<TestClient>(port()));
      EXPECT_EQ(clients.back()->get("/").status, 200);
    }
    std::thread leaving([&] { clients.clear(); });
    stop();
    leaving.join();
    server_.reset();
    io_.restart();
    io_.poll();
    io_.restart();
  }
}

TEST_F(HttpServerTest, SeveralThreadsServe) {
  start({.io_threads = 4});
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([this, i, &right] {
      TestClient client(port());
      for (int j = 0; j < 20; ++j) {
        right += client.post("/", std::to_string(i * j)).body == std::to_string(i * j);
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 320);
}

TEST_F(HttpServerTest, ListensOnLoopbackOnlyUnlessAllowed) {
  const auto open = HttpServer::listen(io_, {.host = "0.0.0.0", .port = 0}, echo_);
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().code, Errc::bad_config);
  EXPECT_NE(open.error().detail.find("api_key_env"), std::string::npos);
  EXPECT_TRUE(HttpServer::listen(io_, {.host = "0.0.0.0", .port = 0, .allow_public = true}, echo_));
  EXPECT_FALSE(HttpServer::listen(io_, {.host = "no such host"}, echo_));

  start();
  const auto taken = HttpServer::listen(io_, {.port = port()}, echo_);
  ASSERT_FALSE(taken.has_value());
  EXPECT_NE(taken.error().detail.find(std::to_string(port())), std::string::npos);
}

}  // namespace
}  // namespace lichen::serving
