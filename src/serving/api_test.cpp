// The whole server over real sockets, on models with scripted answers.
#include "serving/api.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <thread>

#include "serving/api_fixture.h"

namespace lichen::serving {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;

TEST_F(ApiTest, Chat) {
  start();
  const auto reply = chat("hi", R"(,"model":"small","logprobs":true)", "x-request-id: r-1\r\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_EQ(reply.headers.at("x-request-id"), "r-1");
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("model"), "small");
  EXPECT_EQ(body.at("choices").at(0).at("message").at("content"), "you said hi");
  EXPECT_EQ(body.at("choices").at(0).at("logprobs").at("content").as_array().size(), 3U);
  EXPECT_EQ(body.at("usage").at("prompt_tokens"), 1);
  EXPECT_EQ(body.at("usage").at("completion_tokens"), 3);

  const auto kept = TestClient(port()).get("/v1/receipts/" + reply.headers.at("x-lichen-receipt"));
  ASSERT_EQ(kept.status, 200) << kept.body;
  const auto receipt = json::parse(kept.body);
  EXPECT_EQ(receipt.at("id"), json::string_view(reply.headers.at("x-lichen-receipt")));
  EXPECT_EQ(receipt.at("plan"), "small");
  EXPECT_EQ(receipt.at("steps").at(0).at("tokens_out"), 3);
}

TEST_F(ApiTest, FeedbackGoesIntoTheReceiptAndTheLatestCounts) {
  start();
  TestClient client(port());
  const auto reply = client.post("/v1/chat/completions", ask("hi"));
  const std::string id = reply.headers.at("x-lichen-receipt");
  const auto give = [&](std::string_view rest) {
    return client.post("/v1/feedback", R"({"receipt":")" + id + "\"," + std::string(rest) + "}");
  };
  EXPECT_TRUE(json::parse(client.get("/v1/receipts/" + id).body).at("feedback").is_null());
  const auto first = give(R"("score":1)");
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(json::parse(first.body),
            json::value({{"receipt", id}, {"score", 1.0}, {"comment", nullptr}}));
  EXPECT_EQ(give(R"("score":0.25,"comment":"too long")").status, 200);
  EXPECT_EQ(give(R"("score":0.25,"comment":"too long")").status, 200);
  EXPECT_EQ(json::parse(client.get("/v1/receipts/" + id).body).at("feedback"),
            json::value({{"score", 0.25}, {"comment", "too long"}}));
}

TEST_F(ApiTest, WrongFeedbackIsATypedError) {
  start();
  TestClient client(port());
  const std::string id =
      client.post("/v1/chat/completions", ask("hi")).headers.at("x-lichen-receipt");
  const std::pair<std::string, std::string_view> wrong[] = {
      {R"({"score":1})", "receipt"},
      {R"({"receipt":7,"score":1})", "receipt"},
      {R"({"receipt":"","score":1})", "receipt"},
      {R"({"receipt":"x"})", "score"},
      {R"({"receipt":"x","score":null})", "score"},
      {R"({"receipt":"x","score":"1"})", "score"},
      {R"({"receipt":"x","score":true})", "score"},
      {R"({"receipt":"x","score":1.01})", "score"},
      {R"({"receipt":"x","score":-1e300})", "score"},
      {R"({"receipt":"x","score":1,"comment":{}})", "comment"},
      {R"({"receipt":"x","score":1,"comment":")" + std::string(5'000, 'a') + "\"}", "comment"}};
  for (const auto& [body, param] : wrong) {
    const auto reply = client.post("/v1/feedback", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(error_of(reply).at("param"), json::value(param)) << body;
  }
  const auto unknown = client.post("/v1/feedback", R"({"receipt":"rcpt_0","score":1})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("param"), "receipt");
  EXPECT_EQ(TestClient(port()).get("/v1/feedback").status, 405);
  EXPECT_TRUE(json::parse(client.get("/v1/receipts/" + id).body).at("feedback").is_null());
}

TEST_F(ApiTest, TheDefaultPlanAnswersWhenNoneIsNamed) {
  start();
  EXPECT_EQ(json::parse(chat("hi").body).at("model"), "large");
  EXPECT_EQ(json::parse(chat("hi", R"(,"model":"")").body).at("model"), "large");
}

TEST_F(ApiTest, TheServersPlanGoesBeforeTheRuntimesDefault) {
  start({.plan = "small"});
  EXPECT_EQ(json::parse(chat("hi").body).at("model"), "small");
}

TEST_F(ApiTest, ChatStream) {
  start();
  const auto reply = chat("hi", R"(,"stream":true,"stream_options":{"include_usage":true})");
  ASSERT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  EXPECT_TRUE(reply.headers.at("x-lichen-receipt").starts_with("rcpt_"));
  EXPECT_EQ(text_of(reply.body), "you said hi");
  const auto list = events(reply.body);
  ASSERT_GE(list.size(), 4U);
  EXPECT_EQ(json::parse(list[0]).at("choices").at(0).at("delta").at("role"), "assistant");
  EXPECT_EQ(json::parse(list[list.size() - 3]).at("choices").at(0).at("finish_reason"), "stop");
  EXPECT_EQ(json::parse(list[list.size() - 2]).at("usage").at("total_tokens"), 4);
  EXPECT_EQ(list.back(), "[DONE]");
}

TEST_F(ApiTest, SeveralChoices) {
  start();
  const auto whole = json::parse(chat("hi", R"(,"n":3)").body);
  EXPECT_EQ(whole.at("choices").as_array().size(), 3U);
  EXPECT_EQ(whole.at("usage").at("completion_tokens"), 9);
  EXPECT_EQ(whole.at("usage").at("prompt_tokens"), 1) << "as OpenAI counts";
  const auto reply = chat("hi", R"(,"n":3,"stream":true)");
  for (int choice = 0; choice < 3; ++choice) EXPECT_EQ(text_of(reply.body, choice), "you said hi");
  const auto& ids = reply.headers.at("x-lichen-receipt");
  EXPECT_EQ(std::ranges::count(ids, ','), 2);
}

TEST_F(ApiTest, ToolCalls) {
  start();
  const auto whole = json::parse(chat("tool").body).at("choices").at(0);
  EXPECT_EQ(whole.at("finish_reason"), "tool_calls");
  EXPECT_EQ(whole.at("message").at("tool_calls").at(0).at("function").at("name"), "f");
  const auto list = events(chat("tool", R"(,"stream":true)").body);
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(json::parse(list[1]).at("choices").at(0).at("delta").at("tool_calls").at(0).at("index"),
            0);
}

TEST_F(ApiTest, TextCompletions) {
  start();
  TestClient client(port());
  const auto whole =
      json::parse(client.post("/v1/completions", R"({"prompt":["a","b"],"max_tokens":2})").body);
  EXPECT_EQ(whole.at("object"), "text_completion");
  EXPECT_EQ(whole.at("choices").at(1).at("text"), "you said");
  EXPECT_EQ(whole.at("choices").at(1).at("finish_reason"), "length");
  const auto list = events(client.post("/v1/completions", R"({"prompt":"a","stream":true})").body);
  EXPECT_EQ(json::parse(list[0]).at("object"), "text_completion");
  EXPECT_EQ(list.back(), "[DONE]");
}

TEST_F(ApiTest, Embeddings) {
  start();
  TestClient client(port());
  const auto body = R"({"model":"small","input":["one","two words"]})";
  const auto reply = client.post("/v1/embeddings", body);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto floats = json::parse(reply.body);
  EXPECT_EQ(floats.at("data").at(1).at("embedding").as_array().size(), 4U);
  EXPECT_GT(floats.at("usage").at("prompt_tokens").as_int64(), 0);
  const auto base64 = json::parse(
      client.post("/v1/embeddings", R"({"model":"small","input":"a","encoding_format":"base64"})")
          .body);
  EXPECT_EQ(base64.at("data").at(0).at("embedding").as_string().size(), 24U);
  EXPECT_EQ(error_of(client.post("/v1/embeddings", R"({"input":"a"})")).at("param"), "model");
}

TEST_F(ApiTest, Models) {
  start();
  TestClient client(port());
  const auto list = json::parse(client.get("/v1/models").body).at("data");
  EXPECT_EQ(list.as_array().size(), 2U);
  EXPECT_EQ(list.at(0).at("lichen").at("context_length"), 50'000);
  EXPECT_EQ(json::parse(client.get("/v1/models/sm%61ll").body).at("id"), "small");
  const auto missing = client.get("/v1/models/huge");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(error_of(missing).at("code"), "model_not_found");
}

TEST_F(ApiTest, HealthAndMetrics) {
  start();
  TestClient client(port());
  EXPECT_EQ(client.get("/health").body, R"({"status":"ok"})");
  client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read(true).status, 200);
  chat("hi");
  chat("fail");
  server_->metrics().add_gauge("lichen_lane_sessions", "of a lane", {{"lane", "cpu"}},
                               [] { return 3.0; });
  const std::string text = client.get("/metrics").body;
  for (const std::string line :
       {R"(lichen_requests_total{plan="large",route="/v1/chat/completions",status="200"} 1)",
        R"(lichen_requests_total{plan="large",route="/v1/chat/completions",status="502"} 1)",
        R"(lichen_tokens_total{direction="out",model="large",role="answer"} 3)",
        R"(lichen_usd_total{model="large",role="answer"})",
        R"(lichen_time_to_first_token_seconds_count{plan="large"} 1)",
        R"(lichen_turns_in_flight 0)", R"(# TYPE lichen_ledger_lost_total counter)",
        R"(lichen_ledger_lost_total 0)", R"(lichen_ledger_pending)",
        R"(# TYPE lichen_lane_sessions gauge)", R"(lichen_lane_sessions{lane="cpu"} 3)",
        R"(lichen_connections)"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST_F(ApiTest, PathsAndMethodsThatAreNot) {
  start();
  const auto missing = TestClient(port()).get("/v1/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(error_of(missing).at("code"), "not_found");
  const auto get = TestClient(port()).get("/v1/chat/completions");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.headers.at("allow"), "POST");
  EXPECT_EQ(TestClient(port()).post("/health", "").headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(TestClient(port()).get("/v1/receipts/rcpt_0").status, 404);
  TestClient preflight(port());
  preflight.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto options = preflight.read();
  EXPECT_EQ(options.status, 405);
  EXPECT_FALSE(options.headers.contains("access-control-allow-origin"));
}

TEST_F(ApiTest, BadBodies) {
  start();
  TestClient client(port());
  for (const std::string body : {"", "{", "[]", "7", "null", "{\"messages\":\"\xff\"}",
                                 "{\"a\":1}{\"a\":1}", "\xef\xbb\xbf{}"}) {
    for (const char* path :
         {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/feedback"}) {
      const auto reply = client.post(path, body);
      EXPECT_EQ(reply.status, 400) << path << " " << body;
      EXPECT_EQ(error_of(reply).at("type"), "invalid_request_error");
    }
  }
  EXPECT_EQ(client.post("/v1/chat/completions", std::string(1'000'000, '[')).status, 400);
  EXPECT_EQ(client.post("/v1/chat/completions", ask("hi")).status, 200);
}

TEST_F(ApiTest, ErrorsHaveTheirStatus) {
  start();
  const auto unknown = chat("hi", R"(,"model":"huge")");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("code"), "model_not_found");
  for (const std::string stream : {"", R"(,"stream":true)"}) {
    const auto failed = chat("fail", stream);
    EXPECT_EQ(failed.status, 502);
    EXPECT_EQ(error_of(failed).at("message"), "the endpoint is down");
    EXPECT_TRUE(failed.headers.contains("x-lichen-receipt"));
    const auto busy = chat("busy", stream + R"(,"n":2)");
    EXPECT_EQ(busy.status, 429);
    EXPECT_EQ(busy.headers.at("retry-after"), "7");
  }
  const auto overflow = chat(long_text(50'001));
  EXPECT_EQ(overflow.status, 400);
  EXPECT_EQ(error_of(overflow).at("code"), "context_length_exceeded");
}

TEST_F(ApiTest, AnErrorInMidStreamIsAnEventAndTheEnd) {
  start();
  TestClient client(port());
  const auto reply = client.post("/v1/chat/completions", ask("break", R"(,"stream":true)"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.whole);
  EXPECT_NE(reply.body.find("event: error\n"), std::string::npos);
  EXPECT_EQ(json::parse(events(reply.body).back()).at("error").at("message"), "cut off");
  EXPECT_EQ(reply.body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST_F(ApiTest, DeadlinesEndATurn) {
  start();
  EXPECT_EQ(chat("hang", R"(,"timeout":0.02)").status, 504);
  EXPECT_EQ(chat("hang", "", "x-lichen-deadline-ms: 20\r\n").status, 504);
  EXPECT_EQ(chat("hi", "", "x-lichen-deadline-ms: soon\r\n").status, 400);
  const auto stream = chat("hang", R"(,"stream":true,"timeout":0.02)");
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(json::parse(events(stream.body).back()).at("error").at("code"), "deadline_exceeded");
}

TEST_F(ApiTest, TheServersOwnDeadlineHolds) {
  start({.deadline = 20ms});
  EXPECT_EQ(chat("hang", R"(,"timeout":100)").status, 504);
}

TEST_F(ApiTest, AClientThatLeavesCancelsItsTurn) {
  for (const char* stream : {"", R"(,"stream":true)"}) {
    TearDown();
    io_.restart();
    start();
    {
      TestClient client(port());
      client.send(TestClient::post_text("/v1/chat/completions", ask("hang", stream)));
      std::string seen;
      if (*stream != '\0') {
        EXPECT_TRUE(client.read_until("well", seen));
      } else {
        while (server_->metrics().text().find("lichen_turns_in_flight 1") == std::string::npos) {
        }
      }
    }
    EXPECT_EQ(receipt().error, "cancelled");
  }
}

TEST_F(ApiTest, ASlowReaderHoldsBackItselfOnly) {
  start();
  TestClient slow(port());
  slow.socket().set_option(asio::socket_base::receive_buffer_size(1 << 18));
  slow.send(TestClient::post_text("/v1/chat/completions", ask("long", R"(,"stream":true)")));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(text_of(chat("hi", R"(,"stream":true)").body), "you said hi");
  const auto reply = slow.read();
  EXPECT_EQ(text_of(reply.body), long_text(30'000));
  EXPECT_EQ(events(reply.body).back(), "[DONE]");
}

TEST_F(ApiTest, SixtyFourClientsAtOnce) {
  start();
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back([this, i, &right] {
      TestClient client(port());
      for (int j = 0; j < 5; ++j) {
        const std::string word = "c" + std::to_string(i) + "-" + std::to_string(j);
        const bool stream = (i + j) % 2 == 0;
        const auto reply =
            client.post("/v1/chat/completions", ask(word, stream ? R"(,"stream":true)" : ""));
        const std::string text = stream ? text_of(reply.body)
                                        : std::string(json::parse(reply.body)
                                                          .at("choices")
                                                          .at(0)
                                                          .at("message")
                                                          .at("content")
                                                          .as_string());
        right += text == "you said " + word;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 320);
}

TEST_F(ApiTest, PipelinedTurnsAreAnsweredInOrder) {
  start();
  TestClient client(port());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += TestClient::post_text("/v1/chat/completions",
                                 ask(std::to_string(i), i % 2 ? R"(,"stream":true)" : ""));
  }
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const auto reply = client.read();
    EXPECT_NE(reply.body.find(i % 2 ? '"' + std::string(" ") + std::to_string(i) + '"'
                                    : "you said " + std::to_string(i)),
              std::string::npos)
        << reply.body;
  }
}

TEST_F(ApiTest, AKeyIsAskedFor) {
  setenv("LICHEN_TEST_KEY", "s3cret", 1);
  start({.api_key_env = "LICHEN_TEST_KEY"});
  const auto none = TestClient(port()).get("/v1/models");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(error_of(none).at("code"), "invalid_api_key");
  EXPECT_EQ(none.body.find("s3cret"), std::string::npos);
  for (const char* wrong :
       {"Bearer s3cre", "Bearer s3crets", "Bearer ", "s3cret", "Basic s3cret"}) {
    EXPECT_EQ(TestClient(port())
                  .get("/v1/models", std::string("Authorization: ") + wrong + "\r\n")
                  .status,
              401)
        << wrong;
  }
  EXPECT_EQ(TestClient(port()).get("/unknown").status, 401);
  EXPECT_EQ(TestClient(port()).get("/metrics").status, 401);
  EXPECT_EQ(TestClient(port()).get("/health").status, 200);
  EXPECT_EQ(TestClient(port()).get("/v1/models", "Authorization: bearer s3cret\r\n").status, 200);
}

TEST_F(ApiTest, NoMoreTurnsAtOnceThanAllowed) {
  start({.max_turns = 2});
  EXPECT_EQ(chat("hi", R"(,"n":2)").status, 200);
  for (int i = 0; i < 3; ++i) {
    const auto refused = chat("hi", R"(,"n":3)");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(error_of(refused).at("code"), "overloaded");
    EXPECT_TRUE(refused.headers.contains("retry-after"));
  }
  EXPECT_EQ(chat("hi", R"(,"n":2)").status, 200);  // what was refused holds no place
}

TEST_F(ApiTest, AddressesThatNeedAKey) {
  start();
  unsetenv("LICHEN_NO_SUCH_KEY");
  const auto unset = Server::open(io_, {.port = 0, .api_key_env = "LICHEN_NO_SUCH_KEY"});
  ASSERT_FALSE(unset);
  EXPECT_EQ(unset.error().code, Errc::bad_config);
  EXPECT_FALSE(Server::open(io_, {.host = "0.0.0.0", .port = 0}));
  setenv("LICHEN_TEST_KEY", "s3cret", 1);
  EXPECT_TRUE(Server::open(io_, {.host = "0.0.0.0", .port = 0, .api_key_env = "LICHEN_TEST_KEY"}));
}

TEST_F(ApiTest, UntilItIsReadyOnlyHealthSaysMore) {
  serve_http({.port = 0});
  const auto loading = TestClient(port()).get("/health");
  EXPECT_EQ(loading.status, 503);
  EXPECT_EQ(loading.body, R"({"status":"loading"})");
  const auto refused = chat("hi");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_EQ(error_of(refused).at("code"), "overloaded");

  policy::Config config;
  config.file = "test.yaml";
  config.ledger.path = "none";
  config.serve.plan = "small";
  open_runtime(std::move(config));
  server_->ready(*runtime_);
  EXPECT_EQ(TestClient(port()).get("/health").body, R"({"status":"ok"})");
  EXPECT_EQ(json::parse(chat("hi").body).at("model"), "small");
}

TEST_F(ApiTest, APortThatIsTakenShowsWithoutAnyModel) {
  serve_http({.port = 0});
  const auto second = Server::open(io_, {.port = port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::bad_config);
  EXPECT_NE(second.error().detail.find(std::to_string(port())), std::string::npos);
}

/// A connection with a defect: writing throws.
class BrokenExchange final : public Exchange {
 public:
  BrokenExchange(HttpRequest request, asio::any_io_executor executor)
      : request_(std::move(request)), executor_(std::move(executor)) {}

  const HttpRequest& request() const override { return request_; }
  asio::any_io_executor executor() override { return executor_; }
  awaitable<void> respond(HttpResponse) override { throw std::runtime_error("respond"); }
  void begin_stream(HttpResponse) override {}
  awaitable<bool> write(std::string_view) override { throw std::runtime_error("write"); }
  awaitable<bool> finish(std::string_view) override { throw std::runtime_error("finish"); }
  void watch(std::optional<Clock::time_point>, std::function<void(Error)> stop) override {
    watched = static_cast<bool>(stop);
  }

  bool watched = false;

 private:
  const HttpRequest request_;
  const asio::any_io_executor executor_;
};

TEST_F(ApiTest, TurnsEndBeforeAnExceptionGoesOn) {
  start();
  Metrics metrics;
  Api api(*runtime_, {}, nullptr, metrics);
  HttpRequest request;
  request.method(boost::beast::http::verb::post);
  request.target("/v1/chat/completions");
  request.body() = ask("hang", R"(,"stream":true,"n":2)");
  asio::io_context io(1);
  BrokenExchange exchange(std::move(request), io.get_executor());
  std::exception_ptr thrown;
  std::size_t receipts = 0;
  asio::co_spawn(io, api.handle(exchange), [&](std::exception_ptr problem) {
    thrown = std::move(problem);
    receipts = runtime_->ledger().recent(9).value().size();
  });
  io.run();
  EXPECT_TRUE(thrown);
  EXPECT_EQ(receipts, 2U) << "a turn still ran";
  EXPECT_EQ(receipt().error, "cancelled");
  EXPECT_FALSE(exchange.watched);
  EXPECT_NE(metrics.text().find("lichen_turns_in_flight 0"), std::string::npos);
}

TEST_F(ApiTest, StoppingLetsARunningTurnFinish) {
  start();
  TestClient client(port());
  client.send(TestClient::post_text("/v1/chat/completions", ask("long")));
  while (server_->metrics().text().find("lichen_turns_in_flight 1") == std::string::npos) {
  }
  server_->stop();
  const auto reply = client.read();
  EXPECT_TRUE(reply.status == 200 || reply.status == 503);
  client.close();
  thread_.join();
}

}  // namespace
}  // namespace lichen::serving
