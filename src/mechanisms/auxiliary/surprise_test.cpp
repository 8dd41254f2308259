// How surprising texts and their words are to a model whose next token is scripted.
#include "mechanisms/auxiliary/surprise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "mechanisms/auxiliary/word_surprise.h"
#include "mechanisms/scripted_model.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::ScriptedBackend;
using testing::FloatNear;
using testing::Pointwise;

constexpr model::Backend::Limits kLimits{.cells = 4'096,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 4,
                                         .train_length = 600,
                                         .embedding = 4};

class SurpriseTest : public testing::Test {
 protected:
  SurpriseTest() {
    // Expects each letter to come again.
    auto backend = std::make_unique<ScriptedBackend>(
        kLimits, [](std::span<const Token> before) { return before.back(); });
    backend->on_decode = [this](std::span<const model::BatchToken> batch) {
      tokens_ += static_cast<int>(batch.size());
      return !broken_;
    };
    small_ = model::make_scripted_local_model("small", lane_, std::move(backend));
  }
  static std::vector<Token> tokens(std::string_view text) {
    return *ByteVocabulary().tokenize(text, false);
  }

  const float expected_ = static_cast<float>(std::log(std::exp(5) + 256) - 5);
  const float other_ = static_cast<float>(std::log(std::exp(5) + 256));
  bool broken_ = false;  // lane's thread
  int tokens_ = 0;       // lane's thread
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> small_;
  Turn turn_{"plan"};
};

TEST_F(SurpriseTest, IsOfEachTokenBehindWhatStandsBefore) {
  const auto surprises = run(Surprise(small_).of(
      {{.texts = {tokens("aab"), tokens("")}}, {.before = tokens("b"), .texts = {tokens("bbc")}}},
      "compress", turn_));
  ASSERT_TRUE(surprises) << surprises.error().detail;
  const std::vector<float> first{other_, expected_, other_}, second{expected_, expected_, other_};
  EXPECT_THAT((*surprises)[0][0], Pointwise(FloatNear(1e-4F), first));
  EXPECT_TRUE((*surprises)[0][1].empty());
  EXPECT_THAT((*surprises)[1][0], Pointwise(FloatNear(1e-4F), second));
}

TEST_F(SurpriseTest, WhatStandsBeforeIsReadOnce) {
  ASSERT_TRUE(run(
      Surprise(small_).of({{.before = tokens("question"), .texts = std::vector(40, tokens("ab"))}},
                          "compress", turn_)));
  const int before = static_cast<int>(std::string("user: question").size());
  EXPECT_EQ(tokens_, before - 1 + 40 * 3) << "each text behind the last token before it";
  EXPECT_EQ(small_->stats().sessions, 0);
  ASSERT_EQ(turn_.receipt.steps.size(), 1U);
  EXPECT_EQ(turn_.receipt.steps[0].model, "small");
  EXPECT_EQ(turn_.receipt.steps[0].role, "compress");
  EXPECT_EQ(turn_.receipt.steps[0].tokens_in, tokens_);
  EXPECT_EQ(turn_.receipt.steps[0].tokens_out, 0);
}

TEST_F(SurpriseTest, FailsAsTheModelDoes) {
  const Surprise surprise(small_);
  EXPECT_EQ(run(surprise.of({{.texts = {tokens(std::string(700, 'a'))}}}, "compress", turn_))
                .error()
                .code,
            Errc::context_overflow);
  broken_ = true;
  EXPECT_FALSE(run(surprise.of({{.texts = {tokens("a"), tokens("b")}}}, "compress", turn_)));
  EXPECT_EQ(turn_.receipt.steps.size(), 1U) << "cost is cost";
  turn_.cancel();
  EXPECT_EQ(run(surprise.of({{.texts = {tokens("a")}}}, "compress", turn_)).error().code,
            Errc::cancelled);
}

TEST_F(SurpriseTest, OfWordsInWindowsIsThatOfTheirTokens) {
  // Longer than small's context: 1,000 words "ab ", in which each token surprises, and then one in
  // which all but the first are expected.
  std::string text;
  std::vector<std::size_t> words(1'000, 3);
  for (int i = 0; i < 1'000; ++i) text += "ab ";
  text += "cccc";
  words.push_back(4);
  const auto surprises = run(WordSurprise(Surprise(small_)).of(text, words, turn_));
  ASSERT_TRUE(surprises) << surprises.error().detail;
  ASSERT_EQ(surprises->size(), words.size());
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_NEAR((*surprises)[i].nats, 3 * other_, 1e-3);
    EXPECT_EQ((*surprises)[i].tokens, 3);
  }
  EXPECT_NEAR(surprises->back().nats, other_ + 3 * expected_, 1e-3);
  EXPECT_TRUE(run(WordSurprise(Surprise(small_)).of("", {}, turn_))->empty());
}

}  // namespace
}  // namespace lichen::mechanisms
