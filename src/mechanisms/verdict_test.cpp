#include "mechanisms/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

constexpr VerdictWords kRightWrong{.first = "right", .second = "wrong"};

AnswerToken token(const std::string& text, double p,
                  const std::vector<std::pair<std::string, double>>& others = {}) {
  AnswerToken token{.text = text, .logprob = static_cast<float>(std::log(p))};
  for (const auto& [other, q] : others) {
    token.top.push_back({.text = other, .logprob = static_cast<float>(std::log(q))});
  }
  return token;
}

double yes(const std::vector<AnswerToken>& verdict) { return share_of_first(verdict); }

TEST(ShareOfFirst, IsOfBothWordsAlone) {
  EXPECT_NEAR(yes({token("yes", 0.6, {{"yes", 0.6}, {"no", 0.2}, {"maybe", 0.2}})}), 0.75, 1e-6);
  EXPECT_NEAR(yes({token("No", 0.9, {{"No", 0.9}, {" Yes", 0.1}})}), 0.1, 1e-6);
  EXPECT_NEAR(yes({token("y", 0.5, {{"n", 0.5}})}), 0.5, 1e-6) << "begun words, and itself";
  EXPECT_NEAR(yes({token("\n", 1), token(" yes", 0.7, {{" no", 0.3}})}), 0.7, 1e-6);
  EXPECT_TRUE(std::isnan(yes({token("perhaps", 1)})));
  EXPECT_TRUE(std::isnan(yes({token(" ", 1)})));
  EXPECT_TRUE(std::isnan(yes({})));
}

TEST(ShareOfFirst, MayBeOfOtherWords) {
  const std::vector<AnswerToken> verdict{token("wrong", 0.6, {{"right", 0.2}})};
  EXPECT_NEAR(share_of_first(verdict, kRightWrong), 0.25, 1e-6);
  EXPECT_TRUE(std::isnan(share_of_first(verdict)));
}

class AskVerdictTest : public testing::Test {
 protected:
  Result<double> ask(Script script, ScriptedModel::Traits traits = {}) {
    judge_ = std::make_shared<ScriptedModel>(
        "judge", [script = std::move(script)](const Request&) { return script; }, traits);
    return run(ask_verdict(judge_, "Well?", kRightWrong, "verify", turn_));
  }

  std::shared_ptr<ScriptedModel> judge_;
  Turn turn_{"plan"};
};

TEST_F(AskVerdictTest, ALocalModelIsHeldToTheWords) {
  const auto score = ask({.text = "right then"});
  ASSERT_TRUE(score) << score.error().detail;
  EXPECT_DOUBLE_EQ(*score, 1);
  const Request asked = judge_->requests().at(0);
  EXPECT_EQ(asked.messages.at(0).content, "Well?");
  EXPECT_EQ(asked.format.gbnf, R"(root ::= "right" | "wrong")");
  EXPECT_EQ(asked.max_tokens, 1);
  EXPECT_TRUE(asked.logprobs);
  EXPECT_GT(asked.top_logprobs, 1);
  ASSERT_EQ(turn_.receipt.steps.size(), 1u);
  EXPECT_EQ(turn_.receipt.steps[0].role, "verify");
}

TEST_F(AskVerdictTest, OfARemoteModelTheTextIsEnough) {
  const ScriptedModel::Traits remote{.local = false};
  EXPECT_EQ(ask({.text = " Wrong: 2 + 2", .logprobs = false}, remote).value(), 0);
  EXPECT_EQ(ask({.text = "Right.", .logprobs = false}, remote).value(), 1);
  EXPECT_TRUE(judge_->requests().at(0).format.free()) << "an endpoint may know no grammars";
}

TEST_F(AskVerdictTest, AWordIsAWholeWord) {
  const ScriptedModel::Traits remote{.local = false};
  constexpr VerdictWords kLetters{.first = "A", .second = "B"};
  const auto letter = [&](const std::string& text) {
    const auto judge = std::make_shared<ScriptedModel>(
        "judge", std::vector<Script>{{.text = text, .logprobs = false}}, remote);
    return run(ask_verdict(judge, "Well?", kLetters, "compare", turn_));
  };
  EXPECT_EQ(letter("A").value(), 1);
  EXPECT_EQ(letter("b.").value(), 0);
  EXPECT_EQ(letter("A: it is shorter").value(), 1);
  EXPECT_FALSE(letter("Answer B is")) << "which begins with an A";
  EXPECT_FALSE(letter("Both"));
  EXPECT_NEAR(share_of_first(std::vector{token("B", 0.75, {{"A", 0.25}})}, kLetters), 0.25, 1e-6);
}

TEST_F(AskVerdictTest, AVerdictThatIsNoneIsAnError) {
  const auto mute = ask({.text = "a", .logprobs = false});
  ASSERT_FALSE(mute);
  EXPECT_EQ(mute.error().code, Errc::upstream);
  EXPECT_THAT(mute.error().detail, HasSubstr("without log-probabilities"));
  EXPECT_THAT(ask({.text = "perhaps"}).error().detail, HasSubstr("neither right nor wrong"));
  // Forty bytes are shown, and none of half a character.
  EXPECT_THAT(ask({.text = std::string(39, 'x') + "\u00e9"}).error().detail,
              HasSubstr("`" + std::string(39, 'x') + "`"));
  EXPECT_EQ(ask({.error = Error{Errc::overloaded, "later"}}).error().code, Errc::overloaded);
  EXPECT_EQ(turn_.receipt.steps.size(), 4u) << "cost is cost";
}

}  // namespace
}  // namespace lichen::mechanisms
