#include "mechanisms/auxiliary/prior.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class PriorTest : public testing::Test {
 protected:
  Result<Answer> ask(Script draft, Request request = {.messages = {{"user", "2 + 3?"}}}) {
    small_ = std::make_shared<ScriptedModel>("small", std::vector<Script>{std::move(draft)});
    options_.answerers = {{"small", small_}, {"large", large_}};
    const auto plan = build_prior(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  /// What large was asked.
  std::string asked() const { return large_->requests().at(0).messages.back().content; }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "It is 5."}});
};

TEST_F(PriorTest, LargeIsToldWhatSmallSays) {
  const auto answer = ask({.text = "four I think", .logprob = std::log(0.87F)});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is 5.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(sink_.pieces.size(), 3u) << "large streams, small does not";
  EXPECT_EQ(asked(),
            "2 + 3?\n\nA small model says, with confidence 0.87: four I think\n\n"
            "Give the right answer.");
  ASSERT_EQ(turn_.receipt.steps.size(), 2u);
  EXPECT_EQ(turn_.receipt.steps[0].role, "draft");
  EXPECT_EQ(turn_.receipt.steps[1].role, "answer");
  EXPECT_EQ(decision().choice, "with");
  EXPECT_THAT(decision().reason, HasSubstr("mean log-prob -0.139, told as 0.87"));
  EXPECT_EQ(decision().score, std::nullopt) << "nothing was chosen between";
}

TEST_F(PriorTest, TheConfidenceMayBeAnother) {
  options_.choices = {{"confidence", "self"}};
  ASSERT_TRUE(ask({.text = "yes"}));
  EXPECT_THAT(asked(), HasSubstr("with confidence 1.00: yes"));
  EXPECT_EQ(turn_.receipt.steps.size(), 3u);
}

TEST_F(PriorTest, AConfidenceMayBeUnknown) {
  ASSERT_TRUE(ask({.text = "four", .logprobs = false}));
  EXPECT_THAT(asked(), HasSubstr("with confidence unknown: four"));
  EXPECT_THAT(decision().reason, HasSubstr("no log-probabilities"));
}

TEST_F(PriorTest, WithoutADraftLargeAnswersAlone) {
  ASSERT_TRUE(ask({.text = " "}));
  EXPECT_EQ(asked(), "2 + 3?");
  EXPECT_EQ(decision().choice, "without");
  EXPECT_EQ(decision().reason, "small said nothing");
}

TEST_F(PriorTest, WhereSmallFailsLargeAnswersAlone) {
  ASSERT_TRUE(ask({.error = Error{Errc::context_overflow, "too long"}}));
  EXPECT_EQ(asked(), "2 + 3?");
  EXPECT_EQ(decision().reason, "small failed: context_overflow: too long");
}

TEST_F(PriorTest, ARefusalIsFinal) {
  EXPECT_EQ(ask({.error = Error{Errc::refused, "no"}}).error().code, Errc::refused);
  EXPECT_TRUE(large_->requests().empty());
}

TEST_F(PriorTest, RefusesARawPrompt) {
  EXPECT_EQ(ask({.text = "a"}, {.prompt = "raw"}).error().code, Errc::unsupported);
  EXPECT_TRUE(small_->requests().empty()) << "before anything is spent on it";
}

}  // namespace
}  // namespace lichen::mechanisms
