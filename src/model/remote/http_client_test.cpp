#include "model/remote/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "model/remote/fake_upstream.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

struct Got {
  int status = 0;
  std::string body;
};

awaitable<HttpResult<Got>> post(HttpClient& client, std::string body, std::size_t limit) {
  Watchdog watchdog(co_await asio::this_coro::executor, {});
  watchdog.limit(Bound::total, Clock::now() + std::chrono::seconds(10));
  HttpTrace trace;
  HttpRequest request{.target = "/v1/x",
                      .fields = "X-Test: 1\r\n",
                      .body = std::move(body),
                      .max_response_bytes = limit};
  auto response = co_await client.post(std::move(request), watchdog, trace);
  if (!response) co_return std::unexpected(response.error());
  const int status = response->status();
  auto whole = co_await response->read_all(std::chrono::seconds(5));
  if (!whole) co_return std::unexpected(whole.error());
  co_return Got{status, std::move(*whole)};
}

class HttpClientTest : public testing::Test {
 protected:
  void serve(FakeUpstream::Script script) {
    start(std::make_unique<FakeUpstream>(std::move(script)));
  }
  void serve(std::vector<Reply> replies) {
    start(std::make_unique<FakeUpstream>(std::move(replies)));
  }

  HttpResult<Got> get(std::string body = "{}", std::size_t limit = 1 << 20) {
    auto result = asio::co_spawn(io, post(*client, std::move(body), limit), asio::use_future);
    io.restart();
    io.run();
    return result.get();
  }
  HttpError fault(const Reply& reply) {
    serve({reply});
    const auto got = get();
    EXPECT_FALSE(got);
    return got ? HttpError{HttpFault::bound, ""} : got.error();
  }

  asio::io_context io;
  std::unique_ptr<FakeUpstream> upstream;
  std::unique_ptr<HttpClient> client;

 private:
  void start(std::unique_ptr<FakeUpstream> server) {
    client.reset();
    upstream = std::move(server);
    const auto port = std::to_string(upstream->port());
    client = std::move(*HttpClient::open(
        {.host = {.name = "127.0.0.1", .port = port}, .authority = "127.0.0.1:" + port},
        io.get_executor()));
  }
};

TEST_F(HttpClientTest, PostsAndReadsTheWholeBody) {
  serve({Reply::json(R"({"a":1})")});
  const auto got = get("{\"q\":1}");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, R"({"a":1})");
  const auto request = upstream->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/x");
  EXPECT_EQ(request.body, "{\"q\":1}");
  EXPECT_EQ(request.fields.at("host"), "127.0.0.1:" + std::to_string(upstream->port()));
  EXPECT_EQ(request.fields.at("content-type"), "application/json");
  EXPECT_EQ(request.fields.at("x-test"), "1");
}

TEST_F(HttpClientTest, KeepsTheConnection) {
  serve({Reply::json("1")});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(get());
  EXPECT_EQ(upstream->connections(), 1);
  EXPECT_EQ(upstream->requests().at(2).on_connection, 3);
}

TEST_F(HttpClientTest, KeepsTheConnectionAfterAChunkedBody) {
  serve({Reply::events().send("3\r\nabc\r\n").end()});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get()->body, "abc");
  EXPECT_EQ(upstream->connections(), 1);
}

TEST_F(HttpClientTest, DoesNotKeepWhatTheServerCloses) {
  serve({Reply::json("1", 200, "Connection: close\r\n")});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(get());
  EXPECT_EQ(upstream->connections(), 2);
}

TEST_F(HttpClientTest, AConnectionClosedWhileIdleIsNotUsed) {
  serve({Reply::json("1").close()});
  EXPECT_TRUE(get());
  ASSERT_TRUE(upstream->wait_for_closed(1));
  EXPECT_TRUE(get());
  EXPECT_EQ(upstream->requests().size(), 2u);
}

TEST_F(HttpClientTest, AStaleConnectionIsReplacedOnce) {
  for (const bool reset : {false, true}) {
    serve([reset](const FakeUpstream::Received& request) {
      if (request.on_connection == 1) return Reply::json("1");
      return reset ? Reply::raw().reset() : Reply::raw().close();
    });
    EXPECT_TRUE(get());
    EXPECT_TRUE(get()) << "closed by the server as the request came";
    EXPECT_EQ(upstream->connections(), 2);
    EXPECT_EQ(upstream->requests().size(), 3u);
  }
}

TEST_F(HttpClientTest, AFreshConnectionThatBreaksIsAReset) {
  EXPECT_EQ(fault(Reply::raw().reset()).fault, HttpFault::reset);
  EXPECT_EQ(upstream->requests().size(), 1u);
  EXPECT_EQ(fault(Reply::raw().close()).fault, HttpFault::reset);
  EXPECT_EQ(fault(Reply::raw().send("HTTP/1.1 200 OK\r\nContent-").close()).fault,
            HttpFault::reset);
}

TEST_F(HttpClientTest, NothingIsRepeatedOnceAResponseBegan) {
  serve([](const FakeUpstream::Received& request) {
    if (request.on_connection == 1) return Reply::json("1");
    return Reply::raw().send("HTTP/1.1 2").close();
  });
  EXPECT_TRUE(get());
  EXPECT_FALSE(get());
  EXPECT_EQ(upstream->requests().size(), 2u);
}

TEST_F(HttpClientTest, ABodyCutShortIsACut) {
  EXPECT_EQ(
      fault(Reply::raw().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").close()).fault,
      HttpFault::cut);
  EXPECT_EQ(fault(Reply::events().send("5\r\nab").close()).fault, HttpFault::cut);
  EXPECT_EQ(
      fault(Reply::events().send("2\r\nab\r\n").wait(std::chrono::milliseconds(20)).reset()).fault,
      HttpFault::cut);
}

TEST_F(HttpClientTest, ABodyWithoutLengthEndsWithTheConnection) {
  serve({Reply::raw().send("HTTP/1.1 200 OK\r\n\r\nabc").close()});
  EXPECT_EQ(get()->body, "abc");
  EXPECT_EQ(get()->body, "abc");
  EXPECT_EQ(upstream->connections(), 2);
}

TEST_F(HttpClientTest, InterimResponsesArePassedOver) {
  serve(
      {Reply::raw().send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")});
  EXPECT_EQ(get()->body, "1");
  EXPECT_EQ(get()->body, "1");
  EXPECT_EQ(upstream->connections(), 1);
}

TEST_F(HttpClientTest, HeadersThatTwoReadersUnderstandDifferentlyAreRefused) {
  for (const auto* fields :
       {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: -1\r\n",
        "Content-Length: 1x\r\n", "Content-Encoding: gzip\r\nContent-Length: 1\r\n"}) {
    const auto error = fault(
        Reply::raw().send("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n1\r\na\r\n0\r\n\r\n"));
    EXPECT_EQ(error.fault, HttpFault::protocol) << fields;
  }
  EXPECT_EQ(
      fault(Reply::raw().send("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
          .fault,
      HttpFault::protocol);
}

TEST_F(HttpClientTest, WhatIsNotHttpIsRefused) {
  for (const auto* bytes :
       {"SSH-2.0-x\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"}) {
    EXPECT_EQ(fault(Reply::raw().send(bytes)).fault, HttpFault::protocol) << bytes;
  }
  EXPECT_EQ(fault(Reply::events().send("zz\r\n")).fault, HttpFault::protocol);
}

TEST_F(HttpClientTest, AHeaderWithoutEndIsBounded) {
  const auto error = fault(Reply::raw().send("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')));
  EXPECT_EQ(error.fault, HttpFault::protocol);
  const auto chunk = fault(Reply::events().send("1;" + std::string(400'000, 'x')));
  EXPECT_EQ(chunk.fault, HttpFault::protocol);
}

TEST_F(HttpClientTest, ABodyOverItsLimitIsRefusedHoweverItComes) {
  const std::string big(2000, 'x');
  for (const auto& reply :
       {Reply::json(big), Reply::raw().send("HTTP/1.1 200 OK\r\n\r\n" + big).close(),
        Reply::events().chunks(big, 100).end(),
        Reply::raw().send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n")}) {
    serve({reply});
    const auto got = get("{}", 1000);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().fault, HttpFault::too_large);
  }
}

TEST_F(HttpClientTest, ALargeRequestAndALargeResponsePass) {
  serve([](const FakeUpstream::Received& request) { return Reply::json(request.body); });
  const std::string big(1 << 20, 'x');
  const auto got = get(big, 2 << 20);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->body, big);
}

TEST_F(HttpClientTest, NobodyListens) {
  serve({Reply::json("1")});
  const auto port = std::to_string(upstream->port());
  upstream.reset();
  const auto got = get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().fault, HttpFault::connect);
  EXPECT_THAT(got.error().detail, HasSubstr("127.0.0.1:" + port));
}

}  // namespace
}  // namespace lichen::model
