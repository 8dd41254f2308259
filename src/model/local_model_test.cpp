#include "model/local_model.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/utf8.h"
#include "model/scripted_backend.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;

constexpr Backend::Limits kLimits{.cells = 1'024,
                                  .batch = 64,
                                  .outputs = 64,
                                  .sequences = 16,
                                  .train_length = 200,
                                  .embedding = 4};

/// Collects what is streamed; refuses from piece `refuse_at` on.
class Collector : public Sink {
 public:
  awaitable<bool> write(Piece piece) override {
    text += piece.text;
    tokens += piece.tokens;
    logprobs += piece.logprobs.size();
    pieces.push_back(std::move(piece));
    co_return static_cast<int>(pieces.size()) < refuse_at;
  }
  std::string text;
  int tokens = 0;
  std::size_t logprobs = 0;
  std::vector<Piece> pieces;
  int refuse_at = 1'000'000;
};

/// Replies with `reply` to any prompt, by the length of what follows the last newline.
ScriptedBackend::Script replying(std::string reply) {
  return [reply](std::span<const Token> before) -> Token {
    std::size_t written = 0;
    while (before[before.size() - 1 - written] % 1'000 != '\n') ++written;
    return written < reply.size() ? static_cast<unsigned char>(reply[written])
                                  : ByteVocabulary::kEnd;
  };
}

class LocalModelTest : public ::testing::Test {
 protected:
  std::shared_ptr<LocalModel> model(ScriptedBackend::Script script,
                                    LocalModelOptions options = {}) {
    return make_scripted_local_model("scripted", lane_,
                                     std::make_unique<ScriptedBackend>(kLimits, std::move(script)),
                                     std::move(options));
  }

  Result<Answer> ask(Model& model, Request request, Turn& turn) {
    asio::io_context io;
    auto answer = asio::co_spawn(io, model.answer(std::move(request), turn), asio::use_future);
    io.run();
    return answer.get();
  }

  std::shared_ptr<Lane> lane_ = std::make_shared<Lane>("test");
};

Request question(std::string text) {
  Request request;
  request.messages.push_back({.role = "user", .content = std::move(text)});
  return request;
}

TEST_F(LocalModelTest, AnswersStreamsAndWritesAReceipt) {
  auto scripted = model(replying("forty two"));
  Collector sink;
  Turn turn("scripted", &sink);
  const Result<Answer> answer = ask(*scripted, question("6 * 7?"), turn);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->text, "forty two");
  EXPECT_EQ(sink.text, answer->text);
  EXPECT_EQ(sink.tokens, 9);
  EXPECT_EQ(sink.logprobs, 0u);
  EXPECT_EQ(answer->finish, Finish::stop);
  EXPECT_EQ(answer->completion_tokens, 9);
  EXPECT_EQ(answer->prompt_tokens, 13);
  EXPECT_EQ(answer->tokens.size(), 9u);
  ASSERT_EQ(answer->authors.size(), 1u);
  EXPECT_EQ(answer->authors[0].model, "scripted");
  EXPECT_EQ(answer->authors[0].bytes, 9);
  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  EXPECT_EQ(turn.receipt.steps[0].tokens_in, 13);
  EXPECT_EQ(turn.receipt.steps[0].tokens_out, 9);
  EXPECT_FALSE(turn.receipt.steps[0].remote);
  EXPECT_GT(turn.receipt.steps[0].prefill_ms, 0);
  EXPECT_GT(turn.receipt.steps[0].decode_ms, 0);
  EXPECT_TRUE(turn.receipt.first_token_ms.has_value());
}

TEST_F(LocalModelTest, StopsAtAStopStringAcrossTokens) {
  auto scripted = model(replying("one STOP two"));
  Collector sink;
  Turn turn("scripted", &sink);
  Request request = question("count");
  request.stop = {"STOP"};
  const Result<Answer> answer = ask(*scripted, request, turn);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->text, "one ");
  EXPECT_EQ(sink.text, "one ");
  EXPECT_EQ(answer->finish, Finish::stop);
}

TEST_F(LocalModelTest, NeverCutsACharacter) {
  auto scripted = model(replying("h\xC3\xA9llo \xF0\x9F\x8C\xBF!"));
  Collector sink;
  Turn turn("scripted", &sink);
  const Result<Answer> answer = ask(*scripted, question("wave"), turn);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(sink.text, "h\xC3\xA9llo \xF0\x9F\x8C\xBF!");
  for (const Piece& piece : sink.pieces) EXPECT_TRUE(base::valid_utf8(piece.text));
  EXPECT_EQ(sink.tokens, 12);
}

TEST_F(LocalModelTest, MaxTokensAndTheContextEndAnAnswer) {
  auto scripted = model(hashing_script(1'000'000));
  Turn turn("scripted");
  Request request = question("go on");
  request.max_tokens = 7;
  Result<Answer> answer = ask(*scripted, request, turn);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->completion_tokens, 7);
  EXPECT_EQ(answer->finish, Finish::length);
  request.max_tokens.reset();
  answer = ask(*scripted, request, turn);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->prompt_tokens + answer->completion_tokens, 200);
  EXPECT_EQ(answer->finish, Finish::length);
}

TEST_F(LocalModelTest, APromptLongerThanTheContextIsAnErrorWithBothLengths) {
  auto scripted = model(hashing_script(10));
  Turn turn("scripted");
  const Result<Answer> answer = ask(*scripted, question(std::string(300, 'x')), turn);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Errc::context_overflow);
  EXPECT_NE(answer.error().detail.find("307"), std::string::npos) << answer.error().detail;
  EXPECT_NE(answer.error().detail.find("200"), std::string::npos) << answer.error().detail;
}

TEST_F(LocalModelTest, AReceiverThatLeavesEndsTheTurnWithAReceipt) {
  auto scripted = model(hashing_script(1'000'000));
  Collector sink;
  sink.refuse_at = 3;
  Turn turn("scripted", &sink);
  const Result<Answer> answer = ask(*scripted, question("go on"), turn);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  EXPECT_EQ(turn.receipt.steps[0].tokens_out, 3);
}

TEST_F(LocalModelTest, LogprobsAreStreamedWhenAskedFor) {
  auto scripted = model(replying("yes"));
  Collector sink;
  Turn turn("scripted", &sink);
  Request request = question("?");
  request.logprobs = true;
  request.top_logprobs = 2;
  const Result<Answer> answer = ask(*scripted, request, turn);
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(sink.logprobs, 3u);
  EXPECT_EQ(sink.pieces[0].logprobs[0].text, "y");
  EXPECT_EQ(sink.pieces[0].logprobs[0].top.size(), 2u);
  EXPECT_LT(sink.pieces[0].logprobs[0].logprob, 0);
}

TEST_F(LocalModelTest, LogitBiasOutsideTheVocabularyIsRefused) {
  auto scripted = model(replying("yes"));
  Turn turn("scripted");
  Request request = question("?");
  request.sampling.logit_bias = {{300, 1.0F}};
  const Result<Answer> answer = ask(*scripted, request, turn);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Errc::bad_request);
}

TEST_F(LocalModelTest, WithToolsTextIsStreamedUntilACallMayBegin) {
  Request request = question("?");
  request.tools = {"some tool"};
  Collector sink;
  Turn turn("scripted", &sink);
  auto calling = model(replying("I <look> <call>it up"));
  const Result<Answer> called = ask(*calling, request, turn);
  ASSERT_TRUE(called.has_value()) << called.error().detail;
  EXPECT_EQ(called->text, "I <look> ");
  EXPECT_EQ(called->finish, Finish::tool_calls);
  EXPECT_EQ(called->tool_calls, boost::json::array{"it up"});
  EXPECT_EQ(sink.text, called->text);
  EXPECT_EQ(sink.tokens, 20);
  EXPECT_EQ(sink.pieces.front().text, "I");

  Collector prose;
  Turn second("scripted", &prose);
  const Result<Answer> answer = ask(*model(replying("no <cal")), request, second);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->text, "no <cal");
  EXPECT_EQ(prose.text, "no <cal");
  EXPECT_EQ(prose.pieces.front().text, "n");
}

TEST_F(LocalModelTest, GoesOnWithWhatAnotherHasBegun) {
  auto scripted = model(replying("forty two"));
  Request request = question("6 * 7?");
  request.begun = "forty";
  Turn turn("scripted");
  const Result<Answer> answer = ask(*scripted, request, turn);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->text, " two");
  EXPECT_EQ(answer->prompt_tokens, 13 + 5);
  request.tools = {"some tool"};
  const Result<Answer> refused = ask(*scripted, request, turn);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST_F(LocalModelTest, PricedModelsCost) {
  auto scripted = model(replying("yes"), {.price = Price{.input = 1, .output = 10}});
  Turn turn("scripted");
  ASSERT_TRUE(ask(*scripted, question("?"), turn).has_value());
  ASSERT_TRUE(turn.receipt.steps[0].usd.has_value());
  EXPECT_DOUBLE_EQ(*turn.receipt.steps[0].usd, (8 * 1 + 3 * 10) / 1e6);
}

TEST_F(LocalModelTest, EmbedsToUnitLength) {
  auto scripted = model(hashing_script(10));
  asio::io_context io;
  Turn turn("scripted");
  auto vectors = asio::co_spawn(io, scripted->embed({"one", "two three"}, turn), asio::use_future);
  io.run();
  const Result<Embeddings> embeddings = vectors.get();
  ASSERT_TRUE(embeddings.has_value());
  ASSERT_EQ(embeddings->size(), 2u);
  EXPECT_EQ((*embeddings)[0], std::vector<float>(4, 0.5F));
  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  EXPECT_EQ(turn.receipt.steps[0].role, "embed");
  EXPECT_EQ(turn.receipt.steps[0].tokens_in, 3 + 9);
}

TEST_F(LocalModelTest, EmbedsManyTextsSideBySideAndInOrder) {
  auto scripted = model(hashing_script(10));
  std::vector<std::string> texts;
  for (int i = 1; i <= 60; ++i) texts.emplace_back(static_cast<std::size_t>(i), 'x');
  asio::io_context io;
  Turn turn("scripted");
  auto vectors = asio::co_spawn(io, scripted->embed(texts, turn), asio::use_future);
  io.run();
  const Result<Embeddings> embeddings = vectors.get();
  ASSERT_TRUE(embeddings.has_value());
  EXPECT_EQ(embeddings->size(), texts.size());
  EXPECT_EQ(turn.receipt.steps.front().tokens_in, 60 * 61 / 2);
  EXPECT_LT(scripted->stats().batches, texts.size());
}

TEST_F(LocalModelTest, ALongPromptIsMadeReadyOnAnotherThread) {
  auto scripted = model(replying("yes"));
  Turn turn("scripted");
  const auto refused = ask(*scripted, question(std::string(100'000, 'x')), turn);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::context_overflow);
  EXPECT_NE(refused.error().detail.find("100007 tokens"), std::string::npos)
      << refused.error().detail;
}

TEST_F(LocalModelTest, TheModelsOwnLogitBiasHoldsAndIsChecked) {
  auto scripted = model(replying("yes"), {.sampling = {.logit_bias = {{300, 1.0F}}}});
  Turn turn("scripted");
  const auto refused = ask(*scripted, question("?"), turn);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("token 300"), std::string::npos);
}

class ReadingTest : public LocalModelTest {
 protected:
  ReadingTest() {
    auto backend = std::make_unique<ScriptedBackend>(kLimits, replying("forty two"));
    backend->on_decode = [this](std::span<const BatchToken> batch) {
      decoded_ += batch.size();
      return true;
    };
    model_ = make_scripted_local_model("scripted", lane_, std::move(backend));
  }
  Result<Reading> read(Request request, Turn& turn) {
    asio::io_context io;
    auto reading = asio::co_spawn(
        io, model_->read(std::move(request), turn, "route", {.top_k = 2, .hidden = true}),
        asio::use_future);
    io.run();
    return reading.get();
  }
  Result<Answer> go_on(Reading reading, Turn& turn) {
    asio::io_context io;
    auto answer = asio::co_spawn(io, model_->answer(std::move(reading), turn), asio::use_future);
    io.run();
    return answer.get();
  }

  std::size_t decoded_ = 0;  // tokens; the lane's thread, read when it is idle
  std::shared_ptr<LocalModel> model_;
};

TEST_F(ReadingTest, TheAnswerGoesOnWithoutATokenComputedTwice) {
  Collector sink;
  Turn turn("scripted", &sink);
  auto reading = read(question("6 * 7?"), turn);
  ASSERT_TRUE(reading) << reading.error().detail;
  EXPECT_EQ(decoded_, 13u);
  EXPECT_EQ(reading->prompt_tokens(), 13);
  EXPECT_EQ(reading->row().token, 'f');
  EXPECT_EQ(reading->row().top.size(), 2u);
  EXPECT_EQ(reading->row().hidden, std::vector<float>(4, 13.0F));
  const auto answer = go_on(*std::move(reading), turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "forty two");
  EXPECT_EQ(sink.text, answer->text);
  EXPECT_TRUE(answer->tokens.front().top.empty()) << "nobody asked for alternatives";
  EXPECT_EQ(decoded_, 13u + 9u) << "the prompt and the answer, each token once";
  EXPECT_EQ(answer->prompt_tokens, 13);
  EXPECT_EQ(answer->cached_tokens, 0) << "nothing was there before this turn";
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  const Step& route = turn.receipt.steps[0];
  EXPECT_EQ(route.role, "route");
  EXPECT_EQ(route.tokens_in, 13);
  EXPECT_EQ(route.tokens_cached, 0);
  EXPECT_EQ(route.tokens_out, 0);
  EXPECT_GT(route.prefill_ms, 0);
  const Step& step = turn.receipt.steps[1];
  EXPECT_EQ(step.role, "answer");
  EXPECT_EQ(step.tokens_in, 13);
  EXPECT_EQ(step.tokens_cached, 13);
  EXPECT_EQ(step.tokens_out, 9);
  EXPECT_EQ(step.prefill_ms, 0);
  EXPECT_GT(step.decode_ms, 0);
}

TEST_F(ReadingTest, OneThatIsDroppedGivesItsCellsBack) {
  Turn turn("scripted");
  {
    const auto dropped = read(question("6 * 7?"), turn);
  }
  lane_->call([] {});  // behind what the drop has posted
  EXPECT_EQ(model_->stats().sessions, 0);
  EXPECT_EQ(turn.receipt.steps.size(), 1u);
}

TEST_F(ReadingTest, OneThatFailsIsInTheReceipt) {
  Turn turn("scripted");
  turn.cancel();
  const auto reading = read(question("6 * 7?"), turn);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::cancelled);
  EXPECT_EQ(turn.receipt.steps.at(0).role, "route");
  EXPECT_EQ(read(question(std::string(300, 'x')), turn).error().code, Errc::context_overflow);
}

TEST_F(LocalModelTest, AnAdapterIsAModelOfItsOwn) {
  auto scripted = model(hashing_script(60));
  auto adapted = scripted->with_adapter({.name = "law", .gguf = "law.gguf", .scale = 1});
  ASSERT_TRUE(adapted.has_value());
  EXPECT_EQ((*adapted)->name(), "scripted+law");
  Turn turn("scripted");
  Request request = question("?");
  request.max_tokens = 20;
  const auto plain = ask(*scripted, request, turn);
  const auto other = ask(**adapted, request, turn);
  const auto again = ask(*scripted, request, turn);
  ASSERT_TRUE(plain && other && again);
  EXPECT_NE(plain->text, other->text);
  EXPECT_EQ(plain->text, again->text);
}

/// Has the model use an adapter as soon as it has written something.
class Swapping : public Sink {
 public:
  explicit Swapping(LocalModel& model) : model_(model) {}
  awaitable<bool> write(Piece) override {
    if (!swap_.joinable()) {
      swap_ = std::jthread([this] {
        EXPECT_TRUE(model_.use_adapter(AdapterOptions{.name = "law", .gguf = "law.gguf"}));
      });
    }
    co_return true;
  }

 private:
  LocalModel& model_;
  std::jthread swap_;
};

TEST_F(LocalModelTest, AnAdapterIsForAnswersThatBeginLater) {
  auto scripted = model(hashing_script(60));
  Request request = question("?");
  request.max_tokens = 40;
  Turn turn("scripted");
  const auto plain = ask(*scripted, request, turn);
  {
    Swapping sink(*scripted);
    Turn swapped("scripted", &sink);
    const auto begun = ask(*scripted, request, swapped);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->text, plain->text);
  }
  const auto later = ask(*scripted, request, turn);
  ASSERT_TRUE(later);
  EXPECT_NE(later->text, plain->text);
  EXPECT_EQ(later->authors.front().model, "scripted");
  ASSERT_TRUE(scripted->use_adapter({}));
  EXPECT_EQ(ask(*scripted, request, turn)->text, plain->text);
}

}  // namespace
}  // namespace lichen::model
