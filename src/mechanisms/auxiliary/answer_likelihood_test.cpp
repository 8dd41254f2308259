// How likely answers are under a model whose next token is scripted.
#include "mechanisms/auxiliary/answer_likelihood.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::ScriptedBackend;

constexpr model::Backend::Limits kLimits{
    .cells = 256, .batch = 16, .outputs = 8, .sequences = 2, .train_length = 64, .embedding = 4};

class AnswerLikelihoodTest : public testing::Test {
 protected:
  AnswerLikelihoodTest() {
    // "yes", and then it ends.
    auto backend =
        std::make_unique<ScriptedBackend>(kLimits, [](std::span<const Token> before) -> Token {
          switch (before.back()) {
            case '\n': return 'y';
            case 'y': return 'e';
            case 'e': return 's';
            default: return ByteVocabulary::kEnd;
          }
        });
    backend->on_decode = [this](std::span<const model::BatchToken> batch) {
      tokens_ += static_cast<int>(batch.size());
      return !broken_;
    };
    model_ = model::make_scripted_local_model("large", lane_, std::move(backend));
  }

  Result<std::vector<double>> of(std::vector<Answer> answers) {
    std::vector<const Answer*> pointers;
    for (const Answer& answer : answers) pointers.push_back(&answer);
    return run(AnswerLikelihood(model_).of(request_, pointers, turn_));
  }

  // Log-probabilities of the scripted token, and of each other one.
  const double expected_ = 5 - std::log(std::exp(5) + 256);
  const double other_ = -std::log(std::exp(5) + 256);
  const Request request_{.messages = {{"user", "well?"}}};  // "user: well?\n"
  bool broken_ = false;                                     // lane's thread
  int tokens_ = 0;                                          // lane's thread
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> model_;
  Turn turn_{"plan"};
};

TEST_F(AnswerLikelihoodTest, IsOfAllTokensAndTheEnd) {
  const auto logprobs = of({{.text = "yes"}, {.text = "yos"}, {.text = "ye"}, {.text = ""}});
  ASSERT_TRUE(logprobs) << logprobs.error().detail;
  EXPECT_NEAR((*logprobs)[0], 4 * expected_, 1e-4);
  EXPECT_NEAR((*logprobs)[1], 2 * expected_ + 2 * other_, 1e-4) << "o for e, and s behind o";
  EXPECT_NEAR((*logprobs)[2], 2 * expected_ + other_, 1e-4) << "it should not end there";
  EXPECT_NEAR((*logprobs)[3], other_, 1e-4);
}

TEST_F(AnswerLikelihoodTest, AnAnswerThatWasCutOffHasNoEnd) {
  const auto logprobs = of({{.text = "ye", .finish = Finish::length}});
  EXPECT_NEAR(logprobs.value().at(0), 2 * expected_, 1e-4);
}

TEST_F(AnswerLikelihoodTest, ThePromptIsReadOnce) {
  ASSERT_TRUE(of({{.text = "yes"}, {.text = "yo"}}));
  const int prompt = static_cast<int>(std::string("user: well?\n").size());
  EXPECT_EQ(tokens_, prompt - 1 + 4 + 3) << "each answer behind the prompt's last token";
  ASSERT_EQ(turn_.receipt.steps.size(), 1u);
  const Step& step = turn_.receipt.steps[0];
  EXPECT_EQ(step.model, "large");
  EXPECT_EQ(step.role, "verify");
  EXPECT_EQ(step.tokens_in, tokens_);
  EXPECT_EQ(step.tokens_out, 0);
}

TEST_F(AnswerLikelihoodTest, MoreAnswersThanSequences) {
  const auto logprobs = of(std::vector<Answer>(9, {.text = "yes"}));
  ASSERT_TRUE(logprobs) << logprobs.error().detail;
  for (const double logprob : *logprobs) EXPECT_NEAR(logprob, 4 * expected_, 1e-4);
  EXPECT_EQ(model_->stats().sessions, 0);
}

TEST_F(AnswerLikelihoodTest, WhatCannotBeReadIsImpossible) {
  Answer call{.text = "so", .tool_calls = {"call"}};
  const auto logprobs = of({{.text = std::string(1'000, 'y')}, call, {.text = "yes"}});
  ASSERT_TRUE(logprobs) << logprobs.error().detail;
  EXPECT_EQ((*logprobs)[0], -INFINITY);
  EXPECT_EQ((*logprobs)[1], -INFINITY);
  EXPECT_NEAR((*logprobs)[2], 4 * expected_, 1e-4);
}

TEST_F(AnswerLikelihoodTest, FailsAsTheModelDoes) {
  broken_ = true;
  EXPECT_FALSE(of({{.text = "yes"}}));
  EXPECT_EQ(turn_.receipt.steps.size(), 1u) << "cost is cost";
  turn_.cancel();
  EXPECT_EQ(of({{.text = "yes"}}).error().code, Errc::cancelled);
  const auto without = std::make_shared<ScriptedModel>("large");
  const Answer answer{.text = "yes"};
  EXPECT_EQ(run(AnswerLikelihood(without).of(request_, {&answer}, turn_)).error().code,
            Errc::unsupported);
}

}  // namespace
}  // namespace lichen::mechanisms
