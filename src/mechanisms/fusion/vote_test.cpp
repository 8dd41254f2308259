#include "mechanisms/fusion/vote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kLater{20};

class VoteTest : public testing::Test {
 protected:
  ScriptedModel& member(const std::string& name, std::vector<Script> script,
                        ScriptedModel::Traits traits = {}) {
    auto model = std::make_shared<ScriptedModel>(name, std::move(script), traits);
    options_.sequence.push_back({.name = name, .answerer = model});
    return *model;
  }
  Result<Answer> ask(Request request = {.messages = {{"user", "2 + 3?"}}}) {
    const auto plan = build_vote(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  std::string refusal() {
    const auto plan = build_vote(options_);
    if (plan) return "none";
    EXPECT_EQ(plan.error().code, Errc::bad_config);
    return plan.error().detail;
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(VoteTest, WhatMostSayIsTheAnswer) {
  member("a", {{.text = "6"}});
  member("b", {{.text = "2 + 3 = 5. The answer is 5."}});
  member("c", {{.text = "5", .first_token_after = kLater}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "2 + 3 = 5. The answer is 5.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_THAT(roles(turn_), ElementsAre("a:vote", "b:answer", "c:vote"));
  EXPECT_EQ(decision().mechanism, "vote");
  EXPECT_EQ(decision().choice, "b");
  EXPECT_EQ(decision().reason, "votes 2 (b, c), next 1 (a)");
}

TEST_F(VoteTest, OfEqualVotesTheFirstWinsWhoeverWasFaster) {
  member("a", {{.text = "4", .first_token_after = kLater}});
  member("b", {{.text = "5"}});
  member("c", {{.text = "6"}});
  EXPECT_EQ(ask().value().text, "4");
  EXPECT_EQ(decision().reason, "votes 1 (a), next 1 (b), 3 different");
}

TEST_F(VoteTest, WhoCannotChangeItIsStopped) {
  member("a", {{.text = "5", .first_token_after = kLater}});
  member("b", {{.text = "5", .first_token_after = kLater}});
  member("slow", {{.text = "so far so", .never_ends = true}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "5");
  EXPECT_THAT(roles(turn_), ElementsAre("a:answer", "b:vote", "slow:cancelled"));
  EXPECT_EQ(turn_.receipt.steps[2].tokens_out, 3) << "what it wrote until then is in the receipt";
  EXPECT_EQ(decision().reason, "votes 2 (a, b); not needed: slow");
}

TEST_F(VoteTest, WhatIsDecidedAtOnceAsksNobodyMore) {
  member("a", {{.text = "5"}});
  member("b", {{.text = "5"}});
  auto& slow = member("slow", {{.text = "6", .never_ends = true}});
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_TRUE(slow.requests().empty());
}

TEST_F(VoteTest, InTurnNobodyIsAskedWhoCannotChangeIt) {
  options_.choices = {{"order", "in_turn"}};
  member("a", {{.text = "5"}});
  member("b", {{.text = "5"}});
  auto& dear = member("dear", {{.text = "6"}});
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_TRUE(dear.requests().empty());
  EXPECT_EQ(decision().reason, "votes 2 (a, b); not needed: dear");
}

TEST_F(VoteTest, InTurnTheNextOneIsAskedWhereItIsOpen) {
  options_.choices = {{"order", "in_turn"}};
  member("a", {{.text = "5"}});
  member("b", {{.text = "6"}});
  member("dear", {{.text = "6"}});
  EXPECT_EQ(ask().value().text, "6");
  EXPECT_EQ(decision().choice, "b");
}

TEST_F(VoteTest, SamplesAreVotesToo) {
  options_.some = {{"samples", {{"a", 3}}}};
  options_.numbers = {{"temperature", 0.5}};
  auto& a = member("a", {{.text = "6"}, {.text = "5"}, {.text = "5", .first_token_after = kLater}});
  member("b", {{.text = "6", .first_token_after = kLater * 2}});
  Request request{.messages = {{"user", "2 + 3?"}}};
  request.sampling.seed = 40;
  EXPECT_EQ(ask(request).value().text, "6");
  ASSERT_EQ(a.requests().size(), 3u);
  EXPECT_EQ(a.requests()[0].sampling.temperature, std::nullopt) << "as it was asked";
  EXPECT_EQ(a.requests()[2].sampling.temperature, 0.5F);
  EXPECT_EQ(a.requests()[2].sampling.seed, 42);
  EXPECT_EQ(decision().reason, "votes 2 (a, b), next 2 (a#2, a#3)");
}

TEST_F(VoteTest, WeightsCount) {
  options_.some = {{"weights", {{"b", 0.3}, {"c", 0.1}, {"d", 0.2}, {"a", 0.3}}}};
  member("b", {{.text = "5"}});
  member("c", {{.text = "6"}});
  member("d", {{.text = "6"}});
  member("a", {{.text = "7"}});
  EXPECT_EQ(ask().value().text, "5") << "0.1 + 0.2 is a tie with 0.3, and the first one wins it";
}

TEST_F(VoteTest, WithoutWeightNobodyIsAsked) {
  options_.some = {{"weights", {{"silent", 0}}}};
  member("a", {{.text = "5"}});
  auto& silent = member("silent", {{.text = "6"}});
  member("b", {{.text = "6"}});
  member("c", {{.text = "5"}});
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_TRUE(silent.requests().empty());
}

TEST_F(VoteTest, AVoteMayCountAsMuchAsItIsSure) {
  options_.choices = {{"confidence", "min"}};
  member("a", {{.text = "4", .logprob = -1.0F}});
  member("b", {{.text = "5", .logprob = -0.5F}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "5");
  EXPECT_EQ(decision().reason, "votes 0.6065 (b), next 0.3679 (a)");
}

TEST_F(VoteTest, AnUnknownConfidenceCountsForNothing) {
  options_.choices = {{"confidence", "mean"}};
  member("cloud", {{.text = "4", .logprobs = false}}, {.local = false});
  member("b", {{.text = "5", .logprob = -3.0F}});
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_THAT(decision().reason,
              HasSubstr("cloud counts for nothing, its mean log-prob is unknown: "));
}

TEST_F(VoteTest, WhoFailsOrSaysNothingHasNoVote) {
  member("lost", {{.error = Error{Errc::upstream, "gone"}}});
  member("mute", {{.text = " "}});
  member("cut", {{.text = "well let", .finish = Finish::length}});
  member("d", {{.text = "5"}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "5");
  EXPECT_EQ(decision().reason,
            "votes 1 (d); lost failed: upstream: gone; mute said nothing; cut was cut short after "
            "2 tokens");
  EXPECT_THAT(roles(turn_), ElementsAre("lost:failed", "mute:vote", "cut:vote", "d:answer"));
}

TEST_F(VoteTest, WhatTheUserCutsShortIsAnAnswer) {
  member("a", {{.text = "5 it is"}});
  member("b", {{.text = "6 it is"}});
  member("c", {{.text = "6 I think"}});
  EXPECT_EQ(ask({.messages = {{"user", "2 + 3?"}}, .max_tokens = 1}).value().text, "6");
}

TEST_F(VoteTest, FailsWhereNobodyAnswers) {
  member("a", {{.error = Error{Errc::overloaded, "later"}}});
  member("b", {{.text = ""}});
  member("c", {{.error = Error{Errc::upstream, "gone"}}});
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::overloaded);
  EXPECT_EQ(
      answer.error().detail,
      "`vote`: none of 3 answers could be had: a failed: overloaded: later; b said nothing; c "
      "failed: upstream: gone");
  EXPECT_EQ(turn_.receipt.steps.size(), 3u) << "cost is cost";
  EXPECT_EQ(decision().choice, "none");
}

TEST_F(VoteTest, TheFallbackAnswersWhereNobodyDoes) {
  member("a", {{.error = Error{Errc::overloaded, "later"}}});
  member("b", {{.text = ""}});
  member("c", {{.text = ""}});
  options_.answerers = {
      {"fallback", std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "5"}})}};
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_EQ(sink_.text(), "5");
  EXPECT_EQ(decision().choice, "fallback");
  EXPECT_EQ(roles(turn_).back(), "large:answer");
}

TEST_F(VoteTest, ARefusalIsFinal) {
  member("a", {{.text = "5", .first_token_after = kLater}});
  member("b", {{.error = Error{Errc::refused, "no"}}});
  member("c", {{.text = "5", .never_ends = true}});
  EXPECT_EQ(ask().error().code, Errc::refused);
  EXPECT_TRUE(sink_.pieces.empty());
  EXPECT_THAT(roles(turn_), ElementsAre("a:cancelled", "b:failed"))
      << "and c is not asked any more";
}

TEST_F(VoteTest, CancelledWhileTheyWrite) {
  member("a", {{.text = "5", .never_ends = true}});
  member("b", {{.text = "5", .never_ends = true}});
  auto& last = member("c", {{.text = "6"}});
  std::jthread other([&] {
    while (last.requests().empty()) std::this_thread::yield();
    turn_.cancel();
  });
  EXPECT_EQ(ask().error().code, Errc::cancelled);
  EXPECT_EQ(turn_.receipt.steps.size(), 3u);
}

TEST_F(VoteTest, RefusesWhatNoVoteIs) {
  member("a", {});
  EXPECT_THAT(refusal(), HasSubstr("ask for 1 answer: 2 to 64"));
  member("b", {});
  EXPECT_THAT(refusal(), HasSubstr("nobody can outvote `a`"));
  member("c", {});
  EXPECT_EQ(refusal(), "none");
  options_.some = {{"weights", {{"a", 0}, {"b", 0}, {"c", 0}}}};
  EXPECT_THAT(refusal(), HasSubstr("all 0"));
  options_.some = {{"weights", {{"a", 1}, {"b", 1}, {"c", 2.5}}}};
  EXPECT_THAT(refusal(), HasSubstr("nobody can outvote `c`"));
  options_.some = {{"weights", {{"a", 1}, {"b", 1}, {"c", 2}}}};
  EXPECT_EQ(refusal(), "none") << "a and b together win the tie";
  options_.some = {{"samples", {{"a", 1.5}}}};
  EXPECT_THAT(refusal(), HasSubstr("whole numbers"));
  options_.some = {{"samples", {{"a", 63}}}};
  EXPECT_THAT(refusal(), HasSubstr("ask for 65 answers"));
  options_.some = {};
  member("a", {});
  EXPECT_THAT(refusal(), HasSubstr("`of` has `a` twice"));
}

// Whoever is fast or slow, and whether all are waited for or not: the votes decide alone.
TEST_F(VoteTest, StoppingEarlyNeverChangesTheWinner) {
  std::mt19937 random(3);
  const auto draw = [&random](std::size_t below) { return static_cast<int>(random() % below); };
  for (int round = 0; round < 60; ++round) {
    ScriptedOptions options;
    std::map<std::string, double> votes;
    std::vector<std::string> said;
    for (int i = 0; i < 5; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      const double weight = 1 + draw(3);
      said.push_back(std::to_string(draw(3)));
      votes[said.back()] += weight;
      options.some["weights"][name] = weight;
      const Script script{.text = said.back(),
                          .first_token_after = std::chrono::milliseconds(draw(3))};
      options.sequence.push_back(
          {.name = name,
           .answerer = std::make_shared<ScriptedModel>(name, std::vector<Script>{script})});
    }
    const auto most = std::ranges::max_element(
        said, {}, [&votes](const std::string& answer) { return votes[answer]; });
    for (const char* order : {"together", "in_turn"}) {
      options.choices["order"] = order;
      const auto plan = build_vote(options);
      ASSERT_TRUE(plan) << plan.error().detail;
      Turn turn("plan");
      const auto answer = run((*plan)->answer({.messages = {{"user", "?"}}}, turn));
      ASSERT_TRUE(answer);
      ASSERT_EQ(answer->text, *most) << turn.receipt.decisions.at(0).reason;
    }
  }
}

}  // namespace
}  // namespace lichen::mechanisms
