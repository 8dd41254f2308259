// `blend` as a plan builds it, of models with one vocabulary.
#include "mechanisms/fusion/blend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "mechanisms/fusion/blend_fixture.h"
#include "mechanisms/fusion/learned_weights.h"
#include "mechanisms/fusion/test_vocabulary.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr double kOthers = 256;  // tokens beside the scripted one, each with the logit 0

double probability(double logit) { return std::exp(logit) / (std::exp(logit) + kOthers); }

TEST_F(BlendTest, TheSurerOfTwoSaysEachToken) {
  of({saying("small", "abcdef", {9, 5}), saying("other", "ABCDEF", {5, 9})});
  EXPECT_EQ(answered(), "aBCDEF");
}

TEST_F(BlendTest, TheMeanAndTheProductAreWhatTheyAreCalled) {
  of({saying("small", "a", {9}), saying("other", "A", {5})});
  request_.logprobs = true;
  const double p = probability(9), q = probability(5);
  auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_NEAR(answer->tokens[0].logprob, std::log(0.5 * p + 0.5 * (1 - q) / kOthers), 1e-4);
  options_.choices = {{"rule", "product"}};
  answer = ask();
  ASSERT_TRUE(answer);
  // Unnormalized: both scripted tokens, and the 255 that neither prefers.
  const auto power = [&](double a, double b) { return std::sqrt(a * b); };
  const double a = power(p, (1 - q) / kOthers), b = power((1 - p) / kOthers, q);
  const double rest = (kOthers - 1) * power((1 - p) / kOthers, (1 - q) / kOthers);
  EXPECT_NEAR(answer->tokens[0].logprob, std::log(a / (a + b + rest)), 1e-4);
}

TEST_F(BlendTest, WeightsDecide) {
  of({saying("small", "abc", {6}), saying("other", "ABC", {6})});
  options_.maps = {{"weights", {0.7, 0.3}}};
  EXPECT_EQ(answered(), "abc");
  options_.maps = {{"weights", {0.3, 0.7}}};
  EXPECT_EQ(answered(), "ABC");
  options_.maps = {{"weights", {0, 1}}};
  EXPECT_EQ(answered(), "ABC");
  options_.maps = {{"weights", {1, 0}}};
  EXPECT_EQ(answered(), "abc");
  EXPECT_EQ(step("other").model, "") << "who has no weight is not asked";
}

TEST_F(BlendTest, ByConfidenceWhoHesitatesCountsLess) {
  // Other's weight of 0.5 makes its token the likelier one; but it hesitates.
  of({saying("small", "abc", {6.6F}), saying("other", "ABC", {6.5F}), saying("third", "ABC", {3})});
  EXPECT_EQ(answered(), "ABC");
  options_.choices = {{"weights", "confidence"}};
  EXPECT_EQ(answered(), "abc");
}

TEST_F(BlendTest, AModelWithItselfIsThatModel) {
  const std::string text = "the same";
  of({saying("small", text, {7}), saying("twin", text, {7})});
  for (const char* rule : {"mean", "product"}) {
    options_.choices = {{"rule", rule}};
    EXPECT_EQ(answered(), text);
  }
}

TEST_F(BlendTest, TheGateLetsTheSureSpeakAlone) {
  // An entropy under 1 at the logit 20, and of 2.8 at 6.
  of({saying("small", "abcdef", {20, 20, 6, 20, 20, 6, 20}), saying("other", "ABCDEF", {20})});
  options_.numbers = {{"gate", 1}};
  EXPECT_EQ(answered(), "abCdeF");
  EXPECT_EQ(step("other").tokens_out, 2);
  EXPECT_EQ(step("other").tokens_in, 8 + 5) << "it reads what lies between";
  EXPECT_EQ(step("other").role, "blend");
  EXPECT_EQ(step("small").tokens_out, 6);
  ASSERT_EQ(receipt_.decisions.size(), 1U);
  EXPECT_EQ(receipt_.decisions[0].reason,
            "the others were asked for 2 of 7 tokens, where the entropy of `small` was over 1");
  options_.numbers = {{"gate", 100}};
  EXPECT_EQ(answered(), "abcdef");
  EXPECT_EQ(step("other").model, "") << "who is never asked costs nothing";
  EXPECT_EQ(receipt_.decisions[0].choice, "small");
}

TEST_F(BlendTest, KeepsToLengthAndTheTurn) {
  of({saying("small", "abcdef", {9}), saying("other", "abcdef", {9})});
  request_.max_tokens = 3;
  const auto answer = ask();
  EXPECT_EQ(answer->text, "abc");
  EXPECT_EQ(answer->finish, Finish::length);
  Turn turn("plan");
  turn.cancel();
  EXPECT_EQ(run((*build_blend(options_))->answer(request_, turn)).error().code, Errc::cancelled);
}

TEST_F(BlendTest, LogitsThatAreNaNAreTheirModelsError) {
  of({saying("small", "abc", {9}),
      saying("broken", "abc", {9, std::numeric_limits<float>::quiet_NaN()})});
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::bad_model);
  EXPECT_THAT(answer.error().detail, HasSubstr("`broken`"));
}

TEST_F(BlendTest, NonsenseIsAnErrorOfThePlan) {
  const auto small = saying("small", "a", {9});
  const auto other = saying("other", "b", {9});
  of({small});
  EXPECT_THAT(refused(), HasSubstr("of 2 to 4 models, not 1"));
  of({small, small});
  EXPECT_THAT(refused(), HasSubstr("named twice"));
  of({small, other});
  options_.maps = {{"weights", {0, 0}}};
  EXPECT_THAT(refused(), HasSubstr("all `weights` of `blend` are 0"));
  options_.maps = {};
  of({small, saying("far", "b", {9}, std::make_shared<model::Lane>("gpu"))});
  EXPECT_THAT(refused(), HasSubstr("different devices"));
  of({small, other});
  options_.sequence[1].answerer = *build_blend(options_);
  EXPECT_THAT(refused(), HasSubstr("`other` is a plan"));
}

/// A model of whole words, none of which is a byte.
class WordBackend : public model::ScriptedBackend {
 public:
  WordBackend()
      : ScriptedBackend({.cells = 64,
                         .batch = 8,
                         .outputs = 8,
                         .sequences = 2,
                         .train_length = 64,
                         .embedding = 4},
                        [](std::span<const Token>) { return 0; }) {}
  const model::Vocabulary& vocabulary() const override { return words_; }

 private:
  const TestVocabulary words_{{"lichen", "moss"}};
};

TEST_F(BlendTest, VocabulariesWithoutACommonPieceAreAnErrorOfThePlan) {
  const auto words = make_scripted_local_model("words", lane_, std::make_unique<WordBackend>());
  of({saying("small", "a", {9}), words});
  EXPECT_THAT(refused(), HasSubstr("`small` and `words` have 0 of 256 pieces in common"));
}

TEST_F(BlendTest, WhatARemoteModelCannotDoIsAnErrorOfThePlan) {
  using Traits = ScriptedModel::Traits;
  const auto small = saying("small", "a", {9});
  const auto remote = [](Traits traits) {
    return std::make_shared<ScriptedModel>("cloud", std::vector<Script>{}, traits);
  };
  of({small, remote({.local = false, .continues = false})});
  EXPECT_THAT(refused(), HasSubstr("`continues: final_message`"));
  of({small, remote({.local = false})});
  EXPECT_THAT(refused(), HasSubstr("give it a `gate`"));
  of({remote({.local = false}), small});
  EXPECT_THAT(refused(), HasSubstr("must be a local one"));
  of({small, remote({.local = true})});
  EXPECT_EQ(ask().error().code, Errc::unsupported) << "while plans are only being checked";
}

TEST_F(BlendTest, LearnedWeightsAreThoseOfTheseModels) {
  const auto file = std::filesystem::temp_directory_path() / "lichen_blend_test.weights";
  LearnedWeights learned{.models = {"these"}, .weights = {1}};
  ASSERT_TRUE(save_learned_weights(learned, file));
  of({saying("small", "a", {9}), saying("other", "b", {9})});
  options_.choices = {{"weights", "learned"}, {"learned", file.string()}};
  EXPECT_THAT(refused(), HasSubstr("was learned for other models"));
  std::filesystem::remove(file);
  EXPECT_THAT(refused(), HasSubstr("lichen_blend_test.weights"));
}

}  // namespace
}  // namespace lichen::mechanisms
