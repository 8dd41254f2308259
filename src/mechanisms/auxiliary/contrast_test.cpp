#include "mechanisms/auxiliary/contrast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::ScriptedBackend;
using testing::HasSubstr;

constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 16,
                                         .train_length = 200,
                                         .embedding = 4};

class InStepTest : public testing::Test {
 protected:
  /// Says the byte of `reply` whose turn it is, whatever stands before, with that logit.
  ModelPtr saying(const std::string& name, std::string reply, float sureness,
                  std::shared_ptr<model::Lane> lane = nullptr) {
    auto backend =
        std::make_unique<ScriptedBackend>(kLimits, [reply](std::span<const Token> before) -> Token {
          std::size_t at = 0;
          while (before[before.size() - 1 - at] != '\n') ++at;
          return at < reply.size() ? static_cast<unsigned char>(reply[at]) : ByteVocabulary::kEnd;
        });
    backend->sureness = [sureness](std::span<const Token>) { return sureness; };
    return make_scripted_local_model(name, lane != nullptr ? lane : lane_, std::move(backend));
  }
  Result<Answer> ask(Result<AnswererPtr> plan) {
    EXPECT_TRUE(plan) << plan.error().detail;
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = run((*plan)->answer(request_, turn));
    receipt_ = turn.receipt;
    if (answer) EXPECT_EQ(sink.text(), answer->text);
    return answer;
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  ScriptedOptions options_;
  Request request_{.messages = {{"user", "?"}}, .max_tokens = 12};
  Receipt receipt_;
};

TEST_F(InStepTest, WhereTheAmateurKnowsNothingTheExpertSpeaks) {
  options_.answerers = {{"large", saying("large", "expert", 4)},
                        {"amateur", saying("small", "######", 4)}};
  const auto answer = ask(build_contrast(options_));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "expert");
  EXPECT_EQ(answer->authors.front().model, "large");
  ASSERT_EQ(receipt_.steps.size(), 2U);
  EXPECT_EQ(receipt_.steps[0].model, "small");
  EXPECT_EQ(receipt_.steps[0].role, "contrast");
  EXPECT_EQ(receipt_.steps[0].tokens_out, 0);
  EXPECT_EQ(receipt_.steps[1].tokens_out, 6);
}

TEST_F(InStepTest, WhatTheAmateurIsSurerOfIsLeftUnsaid) {
  options_.answerers = {{"large", saying("large", "expert", 2)},
                        {"amateur", saying("small", "expXrt", 9)}};
  const auto answer = ask(build_contrast(options_));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text[3], 'e') << "only here the expert is the surer of the two";
  EXPECT_NE(answer->text[0], 'e');
  options_.numbers = {{"beta", 0}};
  EXPECT_EQ(ask(build_contrast(options_))->text, "expert");
}

TEST_F(InStepTest, TuningMovesLarge) {
  options_.answerers = {{"large", saying("large", "abcdef", 2)},
                        {"tuned", saying("tuned", "abCdef", 5)},
                        {"base", saying("base", "abcdef", 4)}};
  EXPECT_EQ(ask(build_proxy_tune(options_))->text, "abCdef");
  ASSERT_EQ(receipt_.steps.size(), 3U);
  EXPECT_EQ(receipt_.steps.back().model, "large");
  options_.numbers = {{"strength", 0}};
  EXPECT_EQ(ask(build_proxy_tune(options_))->text, "abcdef");
}

TEST_F(InStepTest, KeepsToLengthAndTheTurn) {
  options_.answerers = {{"large", saying("large", "expert", 4)},
                        {"amateur", saying("small", "######", 4)}};
  request_.max_tokens = 3;
  const auto answer = ask(build_contrast(options_));
  EXPECT_EQ(answer->text, "exp");
  EXPECT_EQ(answer->finish, Finish::length);
  Turn turn("plan");
  turn.cancel();
  EXPECT_EQ(run((*build_contrast(options_))->answer(request_, turn)).error().code, Errc::cancelled);
}

TEST_F(InStepTest, WhatCannotGoInStepIsAnErrorOfThePlan) {
  options_.answerers = {
      {"large", saying("large", "expert", 4)},
      {"amateur", std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                                  ScriptedModel::Traits{.local = false})}};
  EXPECT_THAT(build_contrast(options_).error().detail, HasSubstr("must be a local model"));
  auto elsewhere = std::make_shared<model::Lane>("gpu");
  options_.answerers["amateur"] = saying("small", "x", 1, elsewhere);
  EXPECT_THAT(build_contrast(options_).error().detail, HasSubstr("different devices"));
  options_.answerers["amateur"] = std::make_shared<ScriptedModel>("bare");
  const auto answer = ask(build_contrast(options_));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace lichen::mechanisms
