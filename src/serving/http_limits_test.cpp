// What the server does not let in, and with whom it has no patience.
#include <gtest/gtest.h>

#include "serving/http_server_fixture.h"

namespace lichen::serving {
namespace {

/// A request that must not be let in, and the status that says so.
struct Hostile {
  const char* name;
  std::string text;
  int status = 400;
};

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

TEST_F(HttpServerTest, ChunkedBodiesHaveTheSameLimit) {
  start({.limits = {.max_body_bytes = 1'000}});
  TestClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 30; ++i) client.send("40\r\n" + std::string(64, 'x') + "\r\n");
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, AChunkHeaderAndATrailerHaveALimit) {
  start();
  for (const std::string begin : {"1;", "0\r\n"}) {
    TestClient client(port());
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + begin +
                std::string(80'000, 'a'));
    EXPECT_EQ(client.read().status, 400) << begin;
  }
  wait_for([this] { return server_->connections() == 0; });
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

TEST_F(HttpServerTest, ALongReplyMayTakeLongerThanItsPieces) {
  start({.write_timeout = 1s});
  TestClient client(port());
  client.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::vector<char> piece(1u << 20);
  std::size_t got = 0;
  boost::system::error_code error;
  while (got < Echo::kLong && !error) {
    std::this_thread::sleep_for(30ms);
    got += client.socket().read_some(asio::buffer(piece), error);
  }
  EXPECT_GE(got, Echo::kLong) << "it was cut off";
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

}  // namespace
}  // namespace lichen::serving
