#include "mechanisms/auxiliary/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "mechanisms/sampled_answers.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class VerifyTest : public testing::Test {
 protected:
  void answers(std::vector<std::string> texts) {
    std::vector<Script> script;
    for (std::string& text : texts) script.push_back({.text = std::move(text)});
    small_ = std::make_shared<ScriptedModel>("small", std::move(script));
  }
  /// The judge's P(yes) of each answer, by a word of it.
  void judge(std::map<std::string, double> shares) {
    judge_ = std::make_shared<ScriptedModel>(
        "judge",
        [shares = std::move(shares)](const Request& request) {
          for (const auto& [word, share] : shares) {
            if (!request.messages.back().content.contains(word)) continue;
            return share < 0 ? Script{.error = Error{Errc::overloaded, "later"}}
                             : Script{.text = share > 0.5 ? "yes" : "no"};
          }
          return Script{.text = "perhaps"};
        },
        ScriptedModel::Traits{});
  }
  Result<Answer> ask(Request request = {.messages = {{"user", "2 + 3?"}}}) {
    options_.answerers = {{"of", small_}, {"verifier", judge_}};
    const auto plan = build_verify(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }
  std::vector<std::string> roles() const {
    std::vector<std::string> roles;
    for (const Step& step : turn_.receipt.steps) roles.push_back(step.role);
    return roles;
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> judge_;
};

TEST(Sampled, AnySeedMayBeTheFirst) {
  Request request;
  request.sampling.seed = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(sampled(request, 1, 1).sampling.seed, std::numeric_limits<std::int64_t>::min());
}

TEST_F(VerifyTest, MostVotesWin) {
  options_.choices = {{"by", "agreement"}};
  options_.numbers = {{"n", 5}, {"temperature", 0.5}};
  answers({"6", "2 + 3 = 5. The answer is 5.", "4", "The answer is 5", "so the answer is: 5."});
  Request request{.messages = {{"user", "2 + 3?"}}};
  request.sampling.seed = 40;
  const auto answer = ask(request);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "2 + 3 = 5. The answer is 5.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(small_->requests().size(), 5u);
  EXPECT_EQ(small_->requests()[0].sampling.temperature, std::nullopt) << "as it was asked";
  EXPECT_EQ(small_->requests()[1].sampling.temperature, 0.5F);
  EXPECT_EQ(small_->requests()[1].sampling.seed, 41);
  EXPECT_EQ(small_->requests()[4].sampling.seed, 44);
  EXPECT_EQ(roles(), (std::vector<std::string>{"sample", "answer", "sample", "sample", "sample"}));
  EXPECT_EQ(decision().choice, "answer 2");
  EXPECT_EQ(decision().reason, "votes 3, next 1; 5 answers of at most 5, 3 different");
}

TEST_F(VerifyTest, AMajorityEndsTheVote) {
  options_.choices = {{"by", "agreement"}};
  options_.numbers = {{"n", 5}};
  answers({"5"});
  ASSERT_TRUE(ask());
  EXPECT_EQ(small_->requests().size(), 3u) << "two more could not change it";
  EXPECT_EQ(decision().reason, "votes 3; 3 answers of at most 5, 1 different");
}

TEST_F(VerifyTest, OfEqualVotesTheFirstWins) {
  options_.choices = {{"by", "agreement"}};
  answers({"5", "6", "6", "5"});
  EXPECT_EQ(ask().value().text, "5");
}

TEST_F(VerifyTest, TheJudgesFavouriteWins) {
  options_.choices = {{"by", "judge"}};
  options_.numbers = {{"n", 3}};
  answers({"four", "five", "four"});
  judge({{"four", 0}, {"five", 1}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "five");
  EXPECT_EQ(judge_->requests().size(), 2u) << "equal answers are verified once";
  EXPECT_EQ(judge_->requests()[0].messages.at(0).content,
            "2 + 3?\n\nAnswer: four\n\nIs this answer right? Reply yes or no.");
  EXPECT_THAT(decision().reason, HasSubstr("P(yes) of the verifier 1, next 0"));
  EXPECT_EQ(roles(), (std::vector<std::string>{"verify", "verify", "sample", "answer", "sample"}));
}

TEST_F(VerifyTest, ACertainAnswerIsEnough) {
  options_.choices = {{"by", "judge"}};
  answers({"five"});
  judge({{"five", 1}});
  ASSERT_TRUE(ask());
  EXPECT_EQ(small_->requests().size(), 1u);
}

TEST_F(VerifyTest, ASolutionMayBeChecked) {
  options_.choices = {{"by", "judge"}, {"prompt", "verify"}};
  options_.numbers = {{"n", 1}};
  answers({"five"});
  judge_ = std::make_shared<ScriptedModel>("judge", std::vector<Script>{{.text = "right"}});
  ASSERT_TRUE(ask());
  EXPECT_TRUE(judge_->requests().empty()) << "nothing to choose between";
  options_.numbers = {{"n", 2}};
  ASSERT_TRUE(ask());
  EXPECT_THAT(judge_->requests().at(0).messages.at(0).content, HasSubstr("Check each step."));
}

TEST_F(VerifyTest, WhereTheVerifierFailsTheFirstAnswerIsTaken) {
  options_.choices = {{"by", "judge"}};
  answers({"four"});
  judge({{"four", -1}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "four");
  EXPECT_THAT(decision().reason, HasSubstr("not verified, the first is taken: overloaded: later"));
  EXPECT_EQ(small_->requests().size(), 1u) << "more would be of no use";
}

TEST_F(VerifyTest, AnAnswerWithoutAVerdictIsNotTaken) {
  options_.choices = {{"by", "judge"}};
  options_.numbers = {{"n", 4}};
  answers({"four", "three", "five", "six"});
  judge({{"four", 0}, {"five", 1}, {"six", -1}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "five") << "of `three` the judge says perhaps, of `six` nothing";
  EXPECT_THAT(decision().reason, HasSubstr("P(yes) of the verifier 1, next 0; "));
  EXPECT_THAT(decision().reason, HasSubstr("4 different, 2 without a verdict"));
}

TEST_F(VerifyTest, AVerifierThatMayNotSpeakIsFinal) {
  options_.choices = {{"by", "judge"}};
  options_.numbers = {{"n", 2}};
  answers({"four", "five"});
  judge_ = std::make_shared<ScriptedModel>(
      "judge", std::vector<Script>{{.text = "no"}, {.error = Error{Errc::refused, "no"}}});
  EXPECT_EQ(ask().error().code, Errc::refused);
}

TEST_F(VerifyTest, AFailedAnswerIsNoCandidate) {
  options_.choices = {{"by", "agreement"}};
  options_.numbers = {{"n", 3}};
  small_ = std::make_shared<ScriptedModel>(
      "small", std::vector<Script>{{.error = Error{Errc::upstream, "lost"}}, {.text = "5"}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "5");
  EXPECT_EQ(roles(), (std::vector<std::string>{"failed", "answer", "sample"}));
}

TEST_F(VerifyTest, FailsWhereNoAnswerCanBeHad) {
  options_.choices = {{"by", "judge"}};
  small_ = std::make_shared<ScriptedModel>(
      "small", std::vector<Script>{{.error = Error{Errc::upstream, "lost"}}});
  judge({});
  EXPECT_EQ(ask().error().detail, "lost");
  EXPECT_EQ(turn_.receipt.steps.size(), 4u);
}

TEST_F(VerifyTest, ARefusalIsFinal) {
  options_.choices = {{"by", "agreement"}};
  small_ = std::make_shared<ScriptedModel>(
      "small", std::vector<Script>{{.text = "5"}, {.error = Error{Errc::refused, "no"}}});
  EXPECT_EQ(ask().error().code, Errc::refused);
  EXPECT_TRUE(sink_.pieces.empty());
}

TEST_F(VerifyTest, CancelledWhileItDraws) {
  options_.choices = {{"by", "agreement"}};
  options_.numbers = {{"n", 3}};
  small_ = std::make_shared<ScriptedModel>("small",
                                           std::vector<Script>{{.text = "5", .never_ends = true}});
  std::jthread other([&] {
    while (small_->requests().size() < 2) std::this_thread::yield();
    turn_.cancel();
  });
  EXPECT_EQ(ask().error().code, Errc::cancelled);
  EXPECT_EQ(turn_.receipt.steps.size(), 2u) << "two of three are needed first";
}

TEST_F(VerifyTest, RefusesWhatCannotBe) {
  answers({"5"});
  judge({});
  options_.choices = {{"by", "agreement"}};
  for (const double n : {0.0, 1.5, 65.0}) {
    options_.numbers = {{"n", n}};
    EXPECT_EQ(ask().error().code, Errc::bad_config) << n;
  }
  options_ = {};
  judge_ = std::make_shared<ScriptedModel>("judge", std::vector<Script>{},
                                           ScriptedModel::Traits{.local = false});
  EXPECT_THAT(ask().error().detail, HasSubstr("must be a local model"));
}

TEST_F(VerifyTest, AVerifierWithoutLogitsVerifiesNothing) {
  answers({"5"});
  judge({});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_THAT(decision().reason, HasSubstr("not verified, the first is taken: unsupported"));
}

}  // namespace
}  // namespace lichen::mechanisms
