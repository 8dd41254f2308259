#include "serving/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "serving/http_server_fixture.h"

namespace lichen::serving {
namespace {

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

TEST_F(HttpServerTest, LoopbackNamesAndOwnOriginAreLetIn) {
  start();
  for (const std::string host : {"localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:80"}) {
    TestClient client(port());
    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host + "\r\n\r\n");
    EXPECT_EQ(client.read().status, 200) << host;
  }
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
