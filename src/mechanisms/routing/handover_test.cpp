#include "mechanisms/routing/handover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cctype>

#include "base/utf8.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::LocalModel;
using model::ScriptedBackend;
using testing::HasSubstr;

constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 16,
                                         .train_length = 200,
                                         .embedding = 4};
constexpr std::int64_t kPrompt = 8;  // tokens of the question "?", "user: ?\n"

/// Where an answer stands: bytes since the prompt's end.
std::size_t place(std::span<const Token> before) {
  std::size_t written = 0;
  while (before[before.size() - 1 - written] != '\n') ++written;
  return written;
}

/// Says the byte of `reply` whose turn it is, whatever stands before; unsure of capital letters.
std::unique_ptr<ScriptedBackend> saying(std::string reply,
                                        model::Backend::Limits limits = kLimits) {
  const auto next = [reply](std::span<const Token> before) -> Token {
    const std::size_t at = place(before);
    return at < reply.size() ? static_cast<unsigned char>(reply[at]) : ByteVocabulary::kEnd;
  };
  auto backend = std::make_unique<ScriptedBackend>(limits, next);
  backend->sureness = [next](std::span<const Token> before) {
    const Token token = next(before);
    return token < 256 && std::isupper(token) != 0 ? 1.0F : 20.0F;
  };
  return backend;
}

class HandoverTest : public testing::Test {
 protected:
  void pair(std::unique_ptr<ScriptedBackend> small, std::unique_ptr<ScriptedBackend> large) {
    small_ = make_scripted_local_model("small", lane_, std::move(small));
    large_ = make_scripted_local_model("large", lane_, std::move(large));
  }
  void pair(const std::string& small, const std::string& large) {
    pair(saying(small), saying(large));
  }
  Result<AnswererPtr> plan() {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = numbers_;
    options.choices = choices_;
    return build_handover(options);
  }
  Result<Answer> ask(Turn& turn) { return run((*plan())->answer(request_, turn)); }
  /// The answer with its authors, "ab[c]de": what large wrote in brackets; and that nothing was
  /// lost, shown twice or taken back, and the books are right.
  std::string answered() {
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = ask(turn);
    if (!answer) return std::string(to_string(answer.error().code));
    EXPECT_EQ(sink.text(), answer->text);
    std::string text;
    std::size_t at = 0;
    std::int64_t by_large = 0, tokens = 0;
    for (const Stretch& stretch : answer->authors) {
      const std::string part = answer->text.substr(at, static_cast<std::size_t>(stretch.bytes));
      at += part.size();
      tokens += stretch.tokens;
      if (stretch.model == "large") by_large += stretch.tokens;
      text += stretch.model == "large" ? '[' + part + ']' : part;
    }
    EXPECT_EQ(at, answer->text.size());
    EXPECT_EQ(tokens, answer->completion_tokens);
    EXPECT_EQ(answer->prompt_tokens, kPrompt);
    std::int64_t out_small = 0, out_large = 0;
    for (const Step& step : turn.receipt.steps) {
      EXPECT_EQ(step.role, "answer");
      (step.model == "large" ? out_large : out_small) += step.tokens_out;
    }
    EXPECT_EQ(out_large, by_large);
    EXPECT_EQ(out_small, tokens - by_large);
    EXPECT_EQ(turn.receipt.decisions.size(), 1u);
    decision_ = turn.receipt.decisions.front();
    steps_ = turn.receipt.steps;
    answer_ = *std::move(answer);
    return text;
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  ModelPtr small_;
  ModelPtr large_;
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::string, std::less<>> choices_;
  Request request_{.messages = {{"user", "?"}}};
  Answer answer_;
  Decision decision_;
  std::vector<Step> steps_;
};

TEST_F(HandoverTest, ASureSmallWritesAlone) {
  pair("hello there", "1234567890123");
  EXPECT_EQ(answered(), "hello there");
  ASSERT_EQ(steps_.size(), 1u) << "large did nothing";
  EXPECT_EQ(steps_[0].tokens_in, kPrompt);
  EXPECT_EQ(decision_.choice, "small");
  EXPECT_EQ(decision_.score, std::nullopt);
}

TEST_F(HandoverTest, LargeWritesTheCriticalTokens) {
  pair("abXdeYg", "123456789");
  EXPECT_EQ(answered(), "ab[3]de[6]g");
  EXPECT_EQ(decision_.choice, "both");
  EXPECT_THAT(decision_.reason, HasSubstr("entropy from 0.4 at 2 of 8 tokens"));
  EXPECT_THAT(decision_.reason, HasSubstr("large wrote 2 of 7"));
  ASSERT_EQ(steps_.size(), 2u);
  EXPECT_EQ(steps_[0].model, "small");
  EXPECT_EQ(steps_[0].tokens_in, kPrompt + 2) << "the prompt and large's tokens";
  EXPECT_EQ(steps_[1].model, "large");
  EXPECT_EQ(steps_[1].tokens_in, kPrompt + 4) << "the prompt and small's tokens up to its last one";
}

TEST_F(HandoverTest, TheMarginMayDecide) {
  choices_ = {{"by", "margin"}};
  pair("abXde", "12345");
  EXPECT_EQ(answered(), "ab[3]de");
  EXPECT_THAT(decision_.reason, HasSubstr("margin under 0.9 at 1 of 6"));
}

TEST_F(HandoverTest, ASpanIsLarges) {
  numbers_ = {{"span", 3}};
  pair("aXcDefGh", "123456789");
  EXPECT_EQ(answered(), "a[234]ef[789]") << "large's stretch goes past small's end";
  pair("aXcdefgh", "123456789");
  EXPECT_EQ(answered(), "a[234]efgh");
}

TEST_F(HandoverTest, LargeMayWriteTheRest) {
  choices_ = {{"span", "rest"}};
  pair("aXcDefgh", "123456789");
  EXPECT_EQ(answered(), "a[23456789]");
}

TEST_F(HandoverTest, LargeHandsBackWhenItAgreesWithSmall) {
  numbers_ = {{"back", 2}};
  pair("aXcdefg", "12cd999");
  EXPECT_EQ(answered(), "a[2cd]efg");
  EXPECT_EQ(steps_[0].tokens_in, kPrompt + 3);
  pair("aXcdefg", "12c4ef9");
  EXPECT_EQ(answered(), "a[2c4ef]g");
  numbers_ = {{"back", 1}, {"span", 4}};
  pair("aXcdefghi", "12cd5fghij");
  EXPECT_EQ(answered(), "a[2cd5f]ghi") << "after the span the first one that agrees";
  pair("abXdefghi", "123456789j");
  EXPECT_EQ(answered(), "ab[3456789j]") << "it never agrees";
}

TEST_F(HandoverTest, TheCriticalTokenItselfMayAgree) {
  numbers_ = {{"back", 1}};
  pair("aXcd", "1X34");
  EXPECT_EQ(answered(), "a[X]cd");
}

TEST_F(HandoverTest, TheThresholdsEndsAreTheModelsAlone) {
  pair(std::make_unique<ScriptedBackend>(kLimits, model::hashing_script(40)),
       std::make_unique<ScriptedBackend>(kLimits, model::hashing_script(50)));
  Turn small_turn("small"), large_turn("large");
  const Result<Answer> small = run(small_->answer(request_, small_turn));
  const Result<Answer> large = run(large_->answer(request_, large_turn));
  for (const double span : {1, 3}) {
    for (const double back : {0, 2}) {
      numbers_ = {{"threshold", 0}, {"span", span}, {"back", back}};
      answered();
      EXPECT_EQ(answer_.text, large->text);
      EXPECT_EQ(decision_.choice, "large");
      EXPECT_EQ(answer_.tokens.size(), large->tokens.size());
      EXPECT_EQ(answer_.tokens.front().logprob, large->tokens.front().logprob);
      numbers_["threshold"] = 100;
      EXPECT_EQ(answered(), small->text);
    }
  }
  choices_ = {{"by", "margin"}};
  numbers_ = {{"threshold", 0}};
  EXPECT_EQ(answered(), small->text);
  numbers_ = {{"threshold", 1}};
  answered();
  EXPECT_EQ(answer_.text, large->text);
}

TEST_F(HandoverTest, AStopStringOfTwoAuthorsEndsTheAnswer) {
  request_.stop = {"stop"};
  pair("one stXp two", "123456o890");
  EXPECT_EQ(answered(), "one []");
  EXPECT_EQ(answer_.finish, Finish::stop);
  EXPECT_EQ(answer_.completion_tokens, 8);
  pair("one stXy two", "123456o890");
  EXPECT_EQ(answered(), "one st[o]y two");
}

TEST_F(HandoverTest, ACharacterOfTwoAuthorsIsWhole) {
  pair("h\xC3Xllo",
       "12\xA9"
       "4567");
  EXPECT_EQ(answered(), "h[\xC3\xA9]llo");
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(ask(turn));
  for (const Piece& piece : sink.pieces) EXPECT_TRUE(base::valid_utf8(piece.text));
  EXPECT_EQ(sink.pieces.at(1).model, "large");
  EXPECT_EQ(sink.pieces.at(1).tokens, 2);
}

TEST_F(HandoverTest, MaxTokensEndsAStretch) {
  numbers_ = {{"span", 5}};
  request_.max_tokens = 4;
  pair("abXdefgh", "123456789");
  EXPECT_EQ(answered(), "ab[34]");
  EXPECT_EQ(answer_.finish, Finish::length);
}

TEST_F(HandoverTest, TheShorterContextEndsTheAnswer) {
  auto limits = kLimits;
  limits.train_length = kPrompt + 5;
  pair(saying("abXdefgh"), saying("123456789", limits));
  EXPECT_EQ(answered(), "ab[3]de");
  EXPECT_EQ(answer_.finish, Finish::length);
  pair(saying("abXdefgh", limits), saying("123456789"));
  EXPECT_EQ(answered(), "ab[3]de");
  limits.train_length = kPrompt;
  pair(saying("abXdefgh", limits), saying("123456789"));
  EXPECT_EQ(answered(), "context_overflow");
  pair(saying("abXdefgh"), saying("123456789", limits));
  EXPECT_EQ(answered(), "context_overflow");
}

TEST_F(HandoverTest, LogprobsAreOfWhoeverWrote) {
  request_.logprobs = true;
  request_.top_logprobs = 2;
  pair("abXde", "12345");
  EXPECT_EQ(answered(), "ab[3]de");
  ASSERT_EQ(answer_.tokens.size(), 5u);
  EXPECT_EQ(answer_.tokens[2].text, "3");
  for (const AnswerToken& token : answer_.tokens) {
    EXPECT_EQ(token.top.size(), 2u);
    EXPECT_EQ(token.top[0].text, token.text);
    EXPECT_NEAR(token.logprob, 0, 1e-3);
  }
}

TEST_F(HandoverTest, ToolCallsOfTwoAuthorsAreRead) {
  request_.tools = {"some tool"};
  pair("so <caXl>it up", "123456l890");
  answered();
  EXPECT_EQ(answer_.text, "so ");
  EXPECT_EQ(answer_.finish, Finish::tool_calls);
  EXPECT_EQ(answer_.tool_calls, boost::json::array{"it up"});
}

TEST_F(HandoverTest, AListenerThatGoesEndsItMidSpan) {
  numbers_ = {{"span", 5}};
  pair("abXdefgh", "123456789");
  CollectingSink sink(4);
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_EQ(sink.text(), "ab34") << "what was shown stays";
  ASSERT_EQ(turn.receipt.authors.size(), 2u);
  EXPECT_EQ(turn.receipt.authors[0].bytes, 2);
  EXPECT_EQ(turn.receipt.authors[1].model, "large");
  EXPECT_EQ(turn.receipt.authors[1].tokens, 2);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[1].tokens_out, 3) << "written, if not taken";
}

TEST_F(HandoverTest, CancellationReachesLargesSpan) {
  numbers_ = {{"span", 5}};
  auto large = saying("123456789");
  Turn turn("plan");
  large->on_decode = [&turn, steps = 0](auto) mutable {
    if (++steps == 3) turn.cancel();
    return true;
  };
  pair(saying("abXdefgh"), std::move(large));
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[1].tokens_in, kPrompt + 2);
  EXPECT_LE(turn.receipt.steps[1].tokens_out, 3);
  lane_->call([] {});
  EXPECT_EQ(std::static_pointer_cast<LocalModel>(large_)->stats().sessions, 0);
}

TEST_F(HandoverTest, ADeadlineEndsIt) {
  pair("abXdefgh", "123456789");
  Turn turn("plan");
  turn.deadline = Clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(ask(turn).error().code, Errc::deadline_exceeded);
}

TEST_F(HandoverTest, AFailureOfLargeIsTyped) {
  auto large = saying("123456789");
  large->on_decode = [](auto) { return false; };
  pair(saying("abXdefgh"), std::move(large));
  CollectingSink sink;
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::internal);
  EXPECT_EQ(sink.text(), "ab");
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.decisions.size(), 1u);
}

TEST_F(HandoverTest, ManyAtOnceAreAsEachAlone) {
  const auto doubting = [](int length) {
    auto script = model::hashing_script(length);
    auto backend = std::make_unique<ScriptedBackend>(kLimits, script);
    backend->sureness = [script](std::span<const Token> before) {
      return script(before) % 5 == 0 ? 1.0F : 20.0F;
    };
    return backend;
  };
  pair(doubting(60), doubting(60));
  numbers_ = {{"back", 1}};
  const AnswererPtr handover = *plan();
  const auto one = [&](int i) {
    Request request = request_;
    request.messages[0].content = std::to_string(i);
    return request;
  };
  std::vector<std::string> alone;
  for (int i = 0; i < 8; ++i) {
    Turn turn("plan");
    alone.push_back(run(handover->answer(one(i), turn))->text);
  }
  boost::asio::io_context io;
  std::vector<std::unique_ptr<Turn>> turns;
  std::vector<std::string> together(8);
  for (std::size_t i = 0; i < 8; ++i) {
    turns.push_back(std::make_unique<Turn>("plan"));
    boost::asio::co_spawn(io, handover->answer(one(static_cast<int>(i)), *turns.back()),
                          [&together, i](const std::exception_ptr&, Result<Answer> answer) {
                            if (answer) together[i] = answer->text;
                          });
  }
  io.run();
  EXPECT_EQ(together, alone);
}

/// Goes on with `text` wherever its request stands in it; its tokens are words.
std::shared_ptr<ScriptedModel> going_on(const std::string& text,
                                        ScriptedModel::Traits traits = {.local = false}) {
  return std::make_shared<ScriptedModel>(
      "large",
      [text](const Request& request) {
        return Script{.text = text.substr(std::min(text.size(), request.begun.size()))};
      },
      std::move(traits));
}

class HandoverByTextTest : public HandoverTest {
 protected:
  void pair(const std::string& small, std::shared_ptr<ScriptedModel> large) {
    small_ = make_scripted_local_model("small", lane_, saying(small));
    remote_ = large;
    large_ = std::move(large);
  }
  std::shared_ptr<ScriptedModel> remote_;
};

TEST_F(HandoverByTextTest, LargeGoesOnWithTheText) {
  pair("ab Xd ef Gh", going_on("01 cd 67 gh ij kl"));
  EXPECT_EQ(answered(), "ab [cd] ef [gh]") << "small ends it after large's last word";
  const auto requests = remote_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].begun, "ab ");
  EXPECT_EQ(requests[0].max_tokens, 1);
  EXPECT_EQ(requests[1].begun, "ab cd ef ");
  ASSERT_EQ(steps_.size(), 3u) << "a step for each request, and small's";
  EXPECT_EQ(steps_[2].model, "small");
  EXPECT_EQ(steps_[2].tokens_in, kPrompt + 4) << "large's words have four bytes";
  EXPECT_EQ(steps_[2].tokens_out, 7);
  EXPECT_EQ(answer_.completion_tokens, 7 + 2) << "each counts its own tokens";
}

TEST_F(HandoverByTextTest, LargeWritesSpansOrTheRest) {
  numbers_ = {{"span", 2}};
  pair("ab Xd ef gh", going_on("01 cd 67 gh ij"));
  EXPECT_EQ(answered(), "ab [cd 67] gh");
  numbers_ = {};
  choices_ = {{"span", "rest"}};
  EXPECT_EQ(answered(), "ab [cd 67 gh ij]");
  EXPECT_EQ(answer_.finish, Finish::stop);
  request_.max_tokens = 5;
  EXPECT_EQ(answered(), "ab [cd 67]");
  EXPECT_EQ(answer_.finish, Finish::length);
}

TEST_F(HandoverByTextTest, LargeHandsBackWhenItsLastTokensAreSmalls) {
  numbers_ = {{"back", 2}};
  pair("ab Xd ef gh", going_on("01 cd 67 gh ij"));
  EXPECT_EQ(answered(), "ab [cd 67 gh]") << "`cd` and `67` are not what small would have written";
  EXPECT_EQ(remote_->requests().size(), 3u);
  numbers_ = {{"back", 1}};
  EXPECT_EQ(answered(), "ab [cd] ef gh") << "the last byte is";
}

TEST_F(HandoverByTextTest, HalfACharacterIsNotHandedOver) {
  pair("h\xC3Xllo Xy", going_on("123456789zz"));
  EXPECT_EQ(answered(), "h\xEF\xBF\xBDXllo [zz]");
  pair("ab Xdefghi", going_on("01 c\xEF\xBF\xBD hi"));
  EXPECT_EQ(answered(), "ab [c]defghi") << "nor kept where large was cut off within it";
  pair("ab Xdefghi", going_on("01 c\xEF\xBF\xBD"));
  EXPECT_EQ(answered(), "ab [c\xEF\xBF\xBD]") << "what ends large's answer stays";
}

TEST_F(HandoverByTextTest, AStopStringOfTwoAuthorsEndsTheAnswer) {
  request_.stop = {"stop"};
  choices_ = {{"span", "rest"}};
  pair("one sXop two", going_on("12345top two"));
  EXPECT_EQ(answered(), "one []");
  EXPECT_EQ(answer_.finish, Finish::stop);
}

TEST_F(HandoverByTextTest, WhatCannotBeHandedOverIsUnsupported) {
  pair("ab", going_on(""));
  request_.tools = {"some tool"};
  EXPECT_EQ(answered(), "unsupported");
  request_ = {.messages = {{"user", "?"}}, .format = {.json_object = true}};
  EXPECT_EQ(answered(), "unsupported");
  request_ = {.messages = {{"user", "?"}}, .sampling = {.logit_bias = {{1, 1.0F}}}};
  EXPECT_EQ(answered(), "unsupported");
}

TEST_F(HandoverByTextTest, LargesErrorIsTheAnswers) {
  pair("ab Xd", std::make_shared<ScriptedModel>(
                    "large", std::vector<Script>{{.error = Error{Errc::upstream, "gone"}}}));
  CollectingSink sink;
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::upstream);
  EXPECT_EQ(sink.text(), "ab ");
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
}

TEST_F(HandoverByTextTest, CancellationReachesLarge) {
  pair("ab Xd", std::make_shared<ScriptedModel>(
                    "large", std::vector<Script>{{.text = "x y", .never_ends = true}}));
  choices_ = {{"span", "rest"}};
  Turn turn("plan");
  turn.deadline = Clock::now() + std::chrono::milliseconds(20);
  EXPECT_EQ(ask(turn).error().code, Errc::deadline_exceeded);
}

TEST_F(HandoverByTextTest, ALargeThatCannotGoOnIsRefused) {
  pair("ab", going_on("", {.local = false, .continues = false}));
  const Result<AnswererPtr> built = plan();
  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().detail, HasSubstr("continues: final_message"));
}

TEST_F(HandoverByTextTest, LocalModelsOfTwoLanesSpeakByText) {
  auto other = std::make_shared<model::Lane>("other");
  small_ = make_scripted_local_model("small", lane_, saying("ab Xd ef"));
  large_ = make_scripted_local_model("large", other, saying("1234567890"));
  EXPECT_EQ(answered(), "ab [4]d ef");
  ASSERT_EQ(steps_.size(), 2u);
  large_.reset();
}

TEST_F(HandoverTest, RefusesWhatCannotWork) {
  pair("a", "b");
  const auto refused = [&](const std::string& why) {
    const Result<AnswererPtr> built = plan();
    ASSERT_FALSE(built) << why;
    EXPECT_EQ(built.error().code, Errc::bad_config);
    EXPECT_THAT(built.error().detail, HasSubstr(why));
  };
  for (const auto& [key, value] :
       {std::pair("span", 0.5), std::pair("span", 200'000.0), std::pair("span", 1.5),
        std::pair("back", -1.0), std::pair("back", 1.5), std::pair("threshold", -0.1)}) {
    numbers_ = {{key, value}};
    refused(key);
  }
  numbers_ = {};
  choices_ = {{"span", "some"}};
  refused("`rest`, or a whole number");
  choices_ = {{"by", "luck"}};
  refused("by");
  choices_ = {};
  const ModelPtr local = small_;
  small_ = std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                           ScriptedModel::Traits{.local = false});
  refused("needs the logits of `small`");
  small_ = large_;
  refused("same model");
  small_ = std::make_shared<ScriptedModel>("foreign");
  EXPECT_EQ(answered(), "unsupported") << "local, but no model of which there are logits";
}

}  // namespace
}  // namespace lichen::mechanisms
