// Who writes which token of a handover.
#include <gmock/gmock.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "mechanisms/routing/handover_fixture.h"

namespace lichen::mechanisms {
namespace {

using model::ScriptedBackend;
using testing::HasSubstr;

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

}  // namespace
}  // namespace lichen::mechanisms
