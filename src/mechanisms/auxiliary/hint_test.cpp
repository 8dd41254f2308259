#include "mechanisms/auxiliary/hint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class HintTest : public testing::Test {
 protected:
  Result<Answer> ask(Script hint) {
    return ask(std::move(hint), {.messages = {{"system", "Be short."}, {"user", "2 * 3 + 4?"}}});
  }
  Result<Answer> ask(Script hint, Request request) {
    large_ = std::make_shared<ScriptedModel>("large", std::vector<Script>{std::move(hint)});
    options_.answerers = {{"small", small_}, {"large", large_}};
    const auto plan = build_hint(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  /// What small was asked.
  std::string asked() const { return small_->requests().at(0).messages.back().content; }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_ =
      std::make_shared<ScriptedModel>("small", std::vector<Script>{{.text = "It is 10."}});
  std::shared_ptr<ScriptedModel> large_;
};

TEST_F(HintTest, SmallAnswersWithLargesHint) {
  options_.numbers = {{"max_tokens", 8}};
  const auto answer = ask({.text = " 2 * 3 = 6.\n"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is 10.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(sink_.pieces.size(), 3u) << "small streams, the hint does not";
  EXPECT_EQ(asked(), "2 * 3 + 4?\n\nHint: 2 * 3 = 6.");
  EXPECT_EQ(small_->requests()[0].messages[0].content, "Be short.");
  const Request to_large = large_->requests().at(0);
  EXPECT_EQ(to_large.messages.back().content,
            "2 * 3 + 4?\n\nDo not answer. Write a short hint: the first step only.");
  EXPECT_EQ(to_large.max_tokens, 8);
  ASSERT_EQ(turn_.receipt.steps.size(), 2u);
  EXPECT_EQ(turn_.receipt.steps[0].model, "large");
  EXPECT_EQ(turn_.receipt.steps[0].role, "hint");
  EXPECT_EQ(turn_.receipt.steps[1].role, "answer");
  EXPECT_EQ(decision().choice, "with");
  EXPECT_EQ(decision().reason, "large's hint of 6 tokens");
}

TEST_F(HintTest, AHintMayBeCutOff) {
  options_.numbers = {{"max_tokens", 2}};
  ASSERT_TRUE(ask({.text = "2 * 3 = 6."}));
  EXPECT_EQ(asked(), "2 * 3 + 4?\n\nHint: 2 *");
  EXPECT_THAT(decision().reason, HasSubstr("cut off"));
}

TEST_F(HintTest, WithoutAHintSmallAnswersAlone) {
  const auto answer = ask({.text = " \n"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(asked(), "2 * 3 + 4?");
  EXPECT_EQ(decision().choice, "without");
  EXPECT_EQ(decision().reason, "large's hint was empty");
  EXPECT_EQ(turn_.receipt.steps.size(), 2u) << "cost is cost";
}

TEST_F(HintTest, WhereLargeFailsSmallAnswersAlone) {
  ASSERT_TRUE(ask({.error = Error{Errc::overloaded, "later"}}));
  EXPECT_EQ(asked(), "2 * 3 + 4?");
  EXPECT_EQ(decision().reason, "large failed: overloaded: later");
}

TEST_F(HintTest, ARefusalIsFinal) {
  EXPECT_EQ(ask({.error = Error{Errc::refused, "no"}}).error().code, Errc::refused);
  EXPECT_TRUE(small_->requests().empty());
}

TEST_F(HintTest, LargeIsNotBoundByTheFormOfTheAnswer) {
  Request request{.messages = {{"user", "2 * 3 + 4?"}, {"assistant", "?"}, {"user", "Well?"}}};
  request.format.json_object = true;
  request.max_tokens = 3;
  request.stop = {"6"};
  request.sampling.logit_bias = {{7, 1.0F}};
  ASSERT_TRUE(ask({.text = "2 * 3 = 6."}, request));
  const Request to_large = large_->requests().at(0);
  EXPECT_TRUE(to_large.format.free());
  EXPECT_TRUE(to_large.stop.empty());
  EXPECT_TRUE(to_large.sampling.logit_bias.empty());
  EXPECT_EQ(to_large.messages.size(), 3u) << "it knows the conversation";
  EXPECT_EQ(small_->requests()[0].stop, request.stop);
  EXPECT_EQ(asked(), "Well?\n\nHint: 2 * 3 = 6.");
}

TEST_F(HintTest, RefusesWhatCannotBe) {
  EXPECT_EQ(ask({.text = "a"}, {.prompt = "raw"}).error().code, Errc::unsupported);
  EXPECT_TRUE(large_->requests().empty());
  for (const double tokens : {0.0, 1.5}) {
    options_.numbers = {{"max_tokens", tokens}};
    EXPECT_EQ(ask({.text = "a"}).error().code, Errc::bad_config) << tokens;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
