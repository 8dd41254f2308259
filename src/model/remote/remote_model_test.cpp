#include <gmock/gmock.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <thread>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

TEST(RemoteModel, StreamsAnAnswerWithItsReceipt) {
  FakeUpstream upstream({Reply::chat({"Hel", "lo", "!"}, 9)});
  Remotely at(upstream.url(),
              [](auto& options) { options.price = Price{.input = 2, .output = 10}; });
  Pieces pieces;
  Turn turn("cloud", &pieces);
  const auto answer = at.ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "Hello!");
  EXPECT_EQ(answer->finish, Finish::stop);
  EXPECT_EQ(answer->prompt_tokens, 9);
  EXPECT_EQ(answer->completion_tokens, 3);
  ASSERT_EQ(answer->authors.size(), 1u);
  EXPECT_EQ(answer->authors[0].model, "cloud");
  EXPECT_EQ(answer->authors[0].tokens, 3);
  EXPECT_EQ(answer->authors[0].bytes, 6);

  ASSERT_EQ(pieces.all.size(), 3u);
  EXPECT_EQ(pieces.text(), "Hello!");
  EXPECT_EQ(pieces.all[1].model, "cloud");
  EXPECT_EQ(pieces.all[1].tokens, 1);

  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  const Step& step = turn.receipt.steps[0];
  const auto request = upstream.requests().at(0);
  EXPECT_EQ(step.model, "cloud");
  EXPECT_EQ(step.role, "answer");
  EXPECT_TRUE(step.remote);
  EXPECT_FALSE(step.estimated);
  EXPECT_EQ(step.tokens_in, 9);
  EXPECT_EQ(step.tokens_out, 3);
  EXPECT_EQ(step.bytes_sent, static_cast<std::int64_t>(request.body.size()));
  EXPECT_GT(step.prefill_ms, 0);
  EXPECT_DOUBLE_EQ(step.usd.value_or(0), (9 * 2 + 3 * 10) / 1e6);
  EXPECT_FALSE(step.joules);
  EXPECT_TRUE(turn.receipt.first_token_ms);

  EXPECT_EQ(request.target, "/v1/chat/completions");
  const auto body = json::parse(request.body);
  EXPECT_EQ(body.at("model"), "big-1");
  EXPECT_EQ(body.at("stream_options").at("include_usage"), true);
}

TEST(RemoteModel, AnswersWholeWhenNobodyListens) {
  FakeUpstream upstream({Reply::chat_whole("42", 5, 2)});
  Remotely at(upstream.url());
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "42");
  EXPECT_EQ(turn.receipt.steps.at(0).tokens_in, 5);
  EXPECT_EQ(turn.receipt.steps[0].tokens_out, 2);
  EXPECT_FALSE(turn.receipt.steps[0].usd);
  EXPECT_FALSE(json::parse(upstream.requests().at(0).body).as_object().contains("stream"));
}

TEST(RemoteModel, AnEndpointThatDoesNotStreamIsUnderstood) {
  FakeUpstream upstream({Reply::chat_whole("42")});
  Remotely at(upstream.url());
  Pieces pieces;
  Turn turn("cloud", &pieces);
  EXPECT_EQ(at.ask(turn)->text, "42");
  EXPECT_EQ(pieces.text(), "42");
}

TEST(RemoteModel, KeepsItsConnectionAfterAStream) {
  FakeUpstream upstream({Reply::chat({"a"})});
  Remotely at(upstream.url());
  for (int i = 0; i < 3; ++i) {
    Pieces pieces;
    Turn turn("cloud", &pieces);
    EXPECT_TRUE(at.ask(turn));
  }
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(RemoteModel, TokensAreEstimatedWhereTheEndpointGivesNoUsage) {
  FakeUpstream upstream({Reply::events().delta("12345").delta("6789").finish().done()});
  Remotely at(upstream.url(), [](auto& options) { options.bytes_per_token = 2; });
  Pieces pieces;
  Turn turn("cloud", &pieces);
  const auto answer = at.ask({.messages = {{"user", "12345678"}}}, turn);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->prompt_tokens, 4);
  EXPECT_EQ(answer->completion_tokens, 5);
  EXPECT_TRUE(turn.receipt.steps.at(0).estimated);
}

TEST(RemoteModel, TextSplitAtEveryByteArrivesWhole) {
  const std::string text = "na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x8D\x84";
  std::string events;
  for (const char byte : text) {  // each byte of each character in an event of its own
    events += R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(1, byte) +
              "\"}}]}\n\n";
  }
  events +=
      "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\n\n";
  for (const std::size_t size : {1, 2, 3, 7, 10'000}) {
    FakeUpstream upstream({Reply::events().chunks(events, size).end()});
    Remotely at(upstream.url());
    Pieces pieces;
    Turn turn("cloud", &pieces);
    const auto answer = at.ask(turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, text);
    EXPECT_EQ(pieces.text(), text);
  }
}

TEST(RemoteModel, PassesLogprobsOn) {
  FakeUpstream upstream({Reply::events()
                             .event(R"({"choices":[{"delta":{"content":"a"},"logprobs":)"
                                    R"({"content":[{"token":"a","logprob":-0.5}]}}]})")
                             .finish()
                             .done()});
  Remotely at(upstream.url());
  Pieces pieces;
  Turn turn("cloud", &pieces);
  const auto answer = at.ask({.messages = {{"user", "x"}}, .logprobs = true}, turn);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->tokens.size(), 1u);
  EXPECT_FLOAT_EQ(answer->tokens[0].logprob, -0.5f);
  EXPECT_EQ(pieces.all.at(0).logprobs.size(), 1u);
}

TEST(RemoteModel, AQueryInTheUrlIsKeptInEveryRequest) {
  FakeUpstream upstream({Reply::chat_whole("42"), Reply::chat_whole("7")});
  Remotely at(upstream.url() + "?api-version=2024-10-21");
  Turn turn("cloud");
  EXPECT_TRUE(at.ask(turn));
  Turn embeds("cloud");
  static_cast<void>(at.run(at.model->embed({"a"}, embeds)));
  const auto requests = upstream.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].target, "/v1/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(requests[1].target, "/v1/embeddings?api-version=2024-10-21");
}

TEST(RemoteModel, SendsTheKeyOfItsVariableAndNeverShowsIt) {
  ::setenv("LICHEN_TEST_KEY", "sk-secret", 1);
  FakeUpstream upstream({Reply::json(R"({"error":{"message":"bad key sk-secret"}})", 401)});
  Remotely at(upstream.url(), [](auto& options) { options.key_env = "LICHEN_TEST_KEY"; });
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(upstream.requests().at(0).fields.at("authorization"), "Bearer sk-secret");
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_THAT(answer.error().detail, HasSubstr("LICHEN_TEST_KEY"));
  EXPECT_THAT(answer.error().detail, Not(HasSubstr("sk-secret")));
}

TEST(RemoteModel, WhatCannotWorkIsFoundWhenItIsOpened) {
  asio::io_context io;
  const auto problem = [&](RemoteModelOptions options) {
    const auto model = open_remote_model("cloud", options, io.get_executor());
    EXPECT_FALSE(model);
    return model ? "" : std::string(to_string(model.error().code)) + " " + model.error().detail;
  };
  const RemoteModelOptions good{.url = "https://a.example/v1", .model = "m"};
  EXPECT_TRUE(open_remote_model("cloud", good, io.get_executor()));
  auto options = good;
  options.url = "nowhere";
  EXPECT_THAT(problem(options), HasSubstr("bad_config model `cloud`: url \"nowhere\""));
  options = good;
  options.model = "";
  EXPECT_THAT(problem(options), HasSubstr("model is empty"));
  options = good;
  options.max_connections = 0;
  EXPECT_THAT(problem(options), HasSubstr("max_connections"));
  options = good;
  options.bytes_per_token = std::nan("");
  EXPECT_THAT(problem(options), HasSubstr("bytes_per_token"));
  options = good;
  options.idle_timeout = std::chrono::milliseconds(0);
  EXPECT_THAT(problem(options), HasSubstr("idle_timeout"));
  options = good;
  options.ca_file = "/nonexistent.pem";
  EXPECT_THAT(problem(options), HasSubstr("/nonexistent.pem"));
}

TEST(RemoteModel, AGrammarIsUnsupportedBeforeAnythingIsSent) {
  FakeUpstream upstream({Reply::chat_whole("x")});
  Remotely at(upstream.url());
  Turn turn("cloud");
  const auto answer =
      at.ask({.messages = {{"user", "x"}}, .format = {.gbnf = "root ::= \"a\""}}, turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unsupported);
  EXPECT_TRUE(upstream.requests().empty());
}

TEST(RemoteModel, Embeds) {
  FakeUpstream upstream({Reply::json(
      R"({"data":[{"index":0,"embedding":[3,4]},{"index":1,"embedding":[1,0]}],"usage":{"prompt_tokens":4}})")});
  Remotely at(upstream.url());
  Turn turn("cloud");
  const auto vectors = at.run(at.model->embed({"a", "b"}, turn));
  ASSERT_TRUE(vectors) << vectors.error().detail;
  EXPECT_FLOAT_EQ((*vectors)[0][1], 0.8f);
  EXPECT_EQ(upstream.requests().at(0).target, "/v1/embeddings");
  EXPECT_EQ(turn.receipt.steps.at(0).role, "embed");
  EXPECT_EQ(turn.receipt.steps[0].tokens_in, 4);
  EXPECT_TRUE(at.run(at.model->embed({}, turn))->empty());
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(RemoteModel, EmbeddingsThatAnEndpointLacksAreUnsupported) {
  FakeUpstream upstream({Reply::json("{}", 404)});
  Remotely at(upstream.url());
  Turn turn("cloud");
  const auto vectors = at.run(at.model->embed({"a"}, turn));
  ASSERT_FALSE(vectors);
  EXPECT_EQ(vectors.error().code, Errc::unsupported);
}

/// The stop comes from another thread in the middle of the stream.
TEST(RemoteModel, ACancelledTurnClosesItsConnection) {
  FakeUpstream upstream({Reply::events().delta("a").stall()});
  Remotely at(upstream.url());
  Pieces pieces;
  Turn turn("cloud", &pieces);
  std::jthread canceller;
  pieces.on_piece = [&] {
    canceller = std::jthread([&] { turn.cancel(Errc::cancelled, "the client went away"); });
  };
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  EXPECT_EQ(answer.error().detail, "the client went away");
  EXPECT_TRUE(upstream.wait_for_closed(1));
  ASSERT_EQ(turn.receipt.steps.size(), 1u);  // what it cost until then
  EXPECT_TRUE(turn.receipt.steps[0].estimated);
  EXPECT_EQ(turn.receipt.steps[0].tokens_out, 1);
  EXPECT_GT(turn.receipt.steps[0].tokens_in, 0);
}

TEST(RemoteModel, ATurnThatIsAlreadyStoppedSendsNothing) {
  FakeUpstream upstream({Reply::chat_whole("x")});
  Remotely at(upstream.url());
  Turn turn("cloud");
  turn.cancel(Errc::budget_exceeded, "spent");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::budget_exceeded);
  EXPECT_TRUE(upstream.requests().empty());
}

TEST(RemoteModel, ASinkThatNobodyReadsEndsTheStream) {
  FakeUpstream upstream({Reply::events().delta("a").stall()});
  Remotely at(upstream.url());
  Pieces pieces;
  pieces.listening = false;
  Turn turn("cloud", &pieces);
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  EXPECT_TRUE(upstream.wait_for_closed(1));
}

awaitable<Result<Answer>> ask_with(ModelPtr model, Turn& turn) {
  co_return co_await model->answer({.messages = {{"user", "x"}}}, turn);
}

TEST(RemoteModel, ManyRequestsShareFewConnections) {
  constexpr int kRequests = 100;
  FakeUpstream upstream([](const FakeUpstream::Received& request) {
    const bool stream = request.body.contains("\"stream\"");
    return stream ? Reply::chat({"a", "b"}) : Reply::chat_whole("ab");
  });
  asio::thread_pool io(4);
  auto model = *open_remote_model(
      "cloud", {.url = upstream.url(), .model = "m", .max_connections = 8}, io.get_executor());
  std::vector<std::unique_ptr<Pieces>> sinks;
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<Answer>>> answers;
  for (int i = 0; i < kRequests; ++i) {
    sinks.push_back(std::make_unique<Pieces>());
    turns.push_back(std::make_unique<Turn>("cloud", i % 2 == 0 ? sinks.back().get() : nullptr));
    answers.push_back(asio::co_spawn(io, ask_with(model, *turns.back()), asio::use_future));
  }
  for (auto& answer : answers) {
    const auto result = answer.get();
    ASSERT_TRUE(result) << result.error().detail;
    EXPECT_EQ(result->text, "ab");
  }
  io.join();
  EXPECT_EQ(upstream.requests().size(), static_cast<std::size_t>(kRequests));
  EXPECT_EQ(upstream.connections(), 8);
}

TEST(RemoteModel, RunsOnWhateverExecutorTheCallerHas) {
  FakeUpstream upstream({Reply::chat({"a"})});
  asio::thread_pool io(2);
  auto model =
      *open_remote_model("cloud", {.url = upstream.url(), .model = "m"}, io.get_executor());
  asio::io_context callers;
  Pieces pieces;
  Turn turn("cloud", &pieces);
  auto answer = asio::co_spawn(callers, ask_with(model, turn), asio::use_future);
  callers.run();  // the caller's own thread: the answer comes back to it
  EXPECT_TRUE(answer.get());
  io.join();
}

TEST(RemoteModel, StopsOfManyTurnsAtAnyMomentAreClean) {
  FakeUpstream upstream([](const auto&) { return Reply::chat({"a", "b", "c"}); });
  asio::thread_pool io(2);
  auto model = *open_remote_model(
      "cloud", {.url = upstream.url(), .model = "m", .max_connections = 2}, io.get_executor());
  std::vector<std::unique_ptr<Pieces>> sinks;
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::future<Result<Answer>>> answers;
  for (int i = 0; i < 40; ++i) {
    sinks.push_back(std::make_unique<Pieces>());
    turns.push_back(std::make_unique<Turn>("cloud", sinks.back().get()));
    answers.push_back(asio::co_spawn(io, ask_with(model, *turns.back()), asio::use_future));
  }
  for (auto& turn : turns) turn->cancel();
  for (auto& answer : answers) {
    const auto result = answer.get();
    if (!result) {
      EXPECT_EQ(result.error().code, Errc::cancelled);
    }
  }
  Pieces pieces;
  Turn last("cloud", &pieces);  // no permit was lost
  auto result = asio::co_spawn(io, ask_with(model, last), asio::use_future);
  EXPECT_TRUE(result.get());
  io.join();
}

}  // namespace
}  // namespace lichen::model
