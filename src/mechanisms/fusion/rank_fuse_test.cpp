#include "mechanisms/fusion/rank_fuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <memory>
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
using testing::StartsWith;

class RankFuseTest : public testing::Test {
 protected:
  ScriptedModel& member(const std::string& name, std::vector<Script> script) {
    auto model = std::make_shared<ScriptedModel>(name, std::move(script));
    options_.sequence.push_back({.name = name, .answerer = model});
    return *model;
  }
  /// Thinks that the answer is better which stands further in front of `order`.
  ScriptedModel& judge(std::vector<std::string> order) {
    return judge([order = std::move(order)](const std::string& a, const std::string& b) {
      return std::ranges::find(order, a) < std::ranges::find(order, b) ? "A" : "B";
    });
  }
  template <class Says>
    requires std::invocable<Says, std::string, std::string>
  ScriptedModel& judge(Says says) {
    auto model = std::make_shared<ScriptedModel>(
        "judge",
        [says](const Request& request) {
          const std::string& prompt = request.messages.back().content;
          const auto line = [&prompt](const std::string& begin) {
            const auto at = prompt.find(begin) + begin.size();
            return prompt.substr(at, prompt.find('\n', at) - at);
          };
          return Script{.text = says(line("\nA: "), line("\nB: "))};
        },
        ScriptedModel::Traits{});
    options_.answerers["judge"] = model;
    return *model;
  }
  ScriptedModel& by(Script script) {
    auto model = std::make_shared<ScriptedModel>("large", std::vector<Script>{std::move(script)});
    options_.answerers["by"] = model;
    return *model;
  }
  Result<Answer> ask(Request request = {.messages = {{"user", "2 + 3?"}}}) {
    const auto plan = build_rank_fuse(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  std::string refusal() {
    const auto plan = build_rank_fuse(options_);
    if (plan) return "none";
    EXPECT_EQ(plan.error().code, Errc::bad_config);
    return plan.error().detail;
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }
  static std::string content(const ScriptedModel& model, std::size_t request = 0) {
    return model.requests().at(request).messages.at(0).content;
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(RankFuseTest, TheBestOfAllPairsIsTheAnswer) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  member("c", {{.text = "six"}});
  auto& judged = judge({"five", "six", "four"});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "five");
  EXPECT_EQ(sink_.text(), "five");
  EXPECT_EQ(judged.requests().size(), 6u) << "three pairs in both orders";
  EXPECT_EQ(content(judged), "2 + 3?\n\nA: four\nB: five\n\nWhich answer is better? Reply A or B.");
  EXPECT_EQ(judged.requests()[0].format.gbnf, R"(root ::= "A" | "B")");
  EXPECT_EQ(decision().choice, "b");
  EXPECT_THAT(decision().reason, StartsWith("b 0."));
  EXPECT_THAT(decision().reason, HasSubstr("; 6 comparisons, 0 of 3 pairs hang on the order"));
  EXPECT_THAT(roles(turn_), ElementsAre("judge:compare", "a:candidate", "b:answer", "c:candidate"));
}

TEST_F(RankFuseTest, TheBestAreFusedTheFirstOneFirst) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  member("c", {{.text = "six"}});
  judge({"five", "six", "four"});
  auto& fuse = by({.text = "it is five"});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "it is five");
  EXPECT_EQ(sink_.pieces.size(), 3u) << "it streams";
  EXPECT_EQ(content(fuse),
            "2 + 3?\n\nAnswers:\n1: five\n2: six\n\nSome may be wrong. Write the one best answer.");
  EXPECT_EQ(decision().choice, "fused");
}

TEST_F(RankFuseTest, EqualAnswersAreComparedOnce) {
  member("a", {{.text = "5"}});
  member("b", {{.text = "The answer is 5."}});
  member("c", {{.text = "6"}});
  auto& judged = judge({"6", "5"});
  EXPECT_EQ(ask().value().text, "6");
  EXPECT_EQ(judged.requests().size(), 2u);
  EXPECT_THAT(decision().reason, HasSubstr("a+b 0."));
}

TEST_F(RankFuseTest, WhereAllSayTheSameThereIsNothingToDo) {
  member("a", {{.text = "5"}});
  member("b", {{.text = "The answer is 5."}});
  auto& judged = judge({});
  auto& fuse = by({.text = "?"});
  options_.numbers = {{"layers", 3}};
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_TRUE(judged.requests().empty());
  EXPECT_TRUE(fuse.requests().empty());
  EXPECT_EQ(decision().choice, "a+b");
  EXPECT_EQ(decision().reason, "layer 1: all answers are equal (a+b)");
}

TEST_F(RankFuseTest, WhoLooksAtThePlaceAloneDecidesNothing) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  judge([](const std::string&, const std::string&) { return "A"; });
  EXPECT_EQ(ask().value().text, "four") << "the first of equals";
  EXPECT_EQ(decision().reason, "a 0.50, b 0.50; 2 comparisons, 1 of 1 pairs hang on the order");
}

TEST_F(RankFuseTest, NeitherAnswerIsADrawAndSaid) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  member("c", {{.text = "six"}});
  judge([](const std::string& a, const std::string& b) {
    if (a == "four" || b == "four") return "both";
    return a == "six" ? "A" : "B";
  });
  EXPECT_EQ(ask().value().text, "six");
  EXPECT_THAT(decision().reason,
              HasSubstr("4 without a verdict: the verdict `both` is neither A nor B"));
}

TEST_F(RankFuseTest, WithoutAnyVerdictTheFirstIsTaken) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  options_.answerers["judge"] = std::make_shared<ScriptedModel>(
      "judge", std::vector<Script>{{.error = Error{Errc::overloaded, "later"}}});
  EXPECT_EQ(ask().value().text, "four");
  EXPECT_THAT(decision().reason, HasSubstr("not ranked, the judge gave no verdict"));
  EXPECT_THAT(decision().reason, HasSubstr("2 without a verdict: later"));
}

TEST_F(RankFuseTest, WithoutAJudgeAllAreFused) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  member("c", {{.text = "six"}});
  auto& fuse = by({.text = "five"});
  EXPECT_EQ(ask().value().text, "five");
  EXPECT_THAT(content(fuse), HasSubstr("1: four\n2: five\n3: six\n"));
  EXPECT_THAT(decision().reason, HasSubstr("3 different answers"));
}

// Mixture-of-Agents: each layer's members read what those of the layer before have said.
TEST_F(RankFuseTest, InLayersMembersReadTheBestOfTheLayerBefore) {
  auto& a = member("a", {{.text = "one"}, {.text = "three"}});
  auto& b = member("b", {{.text = "two"}, {.text = "four"}});
  auto& fuse = by({.text = "five"});
  options_.numbers = {{"layers", 2}};
  EXPECT_EQ(ask().value().text, "five");
  ASSERT_EQ(a.requests().size(), 2u);
  EXPECT_EQ(content(a, 0), "2 + 3?");
  EXPECT_EQ(content(a, 1),
            "2 + 3?\n\nAnswers:\n1: one\n2: two\n\nSome may be wrong. Write the one best answer.");
  EXPECT_EQ(content(b, 1), content(a, 1));
  EXPECT_THAT(content(fuse), HasSubstr("1: three\n2: four\n"));
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "layer");
  EXPECT_EQ(turn_.receipt.decisions.at(1).reason, "layer 2: 2 different answers");
}

TEST_F(RankFuseTest, ALayerInWhichNobodyAnswersIsPassedOver) {
  const Script lost{.error = Error{Errc::context_overflow, "too long"}};
  member("a", {{.text = "one"}, lost});
  member("b", {{.text = "two"}, lost});
  auto& fuse = by({.text = "five"});
  options_.numbers = {{"layers", 2}};
  EXPECT_EQ(ask().value().text, "five");
  EXPECT_THAT(content(fuse), HasSubstr("1: one\n2: two\n"));
  EXPECT_THAT(turn_.receipt.decisions.at(1).reason,
              StartsWith("layer 2: nobody answers, so the one before is the last: a failed: "));
  EXPECT_THAT(roles(turn_),
              ElementsAre("a:failed", "b:failed", "large:answer", "a:candidate", "b:candidate"));
}

TEST_F(RankFuseTest, AFlawedAnswerIsLeftOut) {
  member("lost", {{.error = Error{Errc::upstream, "gone"}}});
  member("mute", {{.text = ""}});
  member("c", {{.text = "five"}});
  judge({});
  EXPECT_EQ(ask().value().text, "five");
  EXPECT_EQ(decision().reason,
            "all answers are equal (c); lost failed: upstream: gone; mute said nothing");
  EXPECT_THAT(roles(turn_), ElementsAre("lost:failed", "mute:candidate", "c:answer"));
}

TEST_F(RankFuseTest, FailsWhereNobodyAnswers) {
  member("a", {{.error = Error{Errc::overloaded, "later"}}});
  member("b", {{.text = ""}});
  judge({});
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::overloaded);
  EXPECT_EQ(answer.error().detail,
            "`rank_fuse`: none of 2 answers could be had: a failed: overloaded: later; b said "
            "nothing");
  EXPECT_EQ(turn_.receipt.steps.size(), 2u);
  EXPECT_EQ(decision().choice, "none");
}

TEST_F(RankFuseTest, TheFallbackAnswersWhereNobodyDoesAndFusesWhereByFails) {
  member("a", {{.text = ""}, {.text = "one"}});
  member("b", {{.text = ""}, {.text = "two"}});
  by({.error = Error{Errc::upstream, "gone"}});
  auto help = std::make_shared<ScriptedModel>("help", std::vector<Script>{{.text = "5"}});
  options_.answerers["fallback"] = help;
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_EQ(content(*help), "2 + 3?");
  EXPECT_EQ(decision().choice, "fallback");
  EXPECT_EQ(ask().value().text, "5");
  EXPECT_THAT(content(*help, 1), HasSubstr("1: one\n2: two\n"));
}

TEST_F(RankFuseTest, WhereTheFusionFailsTheBestAnswerStands) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  judge({"five", "four"});
  by({.error = Error{Errc::upstream, "gone"}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "five");
  EXPECT_EQ(sink_.text(), "five");
  EXPECT_THAT(turn_.receipt.decisions.back().reason,
              HasSubstr("the fusion failed: upstream: gone"));
  EXPECT_THAT(roles(turn_),
              ElementsAre("judge:compare", "large:failed", "a:candidate", "b:answer"));
}

TEST_F(RankFuseTest, WhatWasShownOfAFusionStays) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  by({.text = "it is five", .error = Error{Errc::upstream, "gone"}, .error_after = 1});
  EXPECT_EQ(ask().error().detail, "gone");
  EXPECT_EQ(sink_.text(), "it");
}

TEST_F(RankFuseTest, ARefusalIsFinal) {
  member("a", {{.text = "four"}});
  member("b", {{.text = "five"}});
  options_.answerers["judge"] = std::make_shared<ScriptedModel>(
      "judge", std::vector<Script>{{.text = "A"}, {.error = Error{Errc::refused, "no"}}});
  EXPECT_EQ(ask().error().code, Errc::refused);
  member("c", {{.error = Error{Errc::refused, "never"}}});
  EXPECT_EQ(ask().error().detail, "never");
  EXPECT_TRUE(sink_.pieces.empty());
}

TEST_F(RankFuseTest, CancelledWhileTheyWrite) {
  member("a", {{.text = "5", .never_ends = true}});
  auto& last = member("b", {{.text = "6"}});
  judge({});
  std::jthread other([&] {
    while (last.requests().empty()) std::this_thread::yield();
    turn_.cancel();
  });
  EXPECT_EQ(ask().error().code, Errc::cancelled);
  EXPECT_EQ(turn_.receipt.steps.size(), 2u);
}

TEST_F(RankFuseTest, RefusesWhatCannotBe) {
  member("a", {{.text = "4"}});
  member("b", {{.text = "5"}});
  EXPECT_THAT(refusal(), HasSubstr("needs `judge`"));
  judge({});
  options_.numbers = {{"keep", 2}};
  EXPECT_THAT(refusal(), HasSubstr("for which `by` is missing"));
  by({});
  options_.numbers = {{"keep", 3}};
  EXPECT_THAT(refusal(), HasSubstr("out of range")) << "of two answers";
  options_.answerers.erase("judge");
  options_.numbers = {{"keep", 2}};
  EXPECT_THAT(refusal(), HasSubstr("only a `judge` tells"));
  options_.numbers = {{"layers", 9}};
  EXPECT_THAT(refusal(), HasSubstr("out of range"));
  options_.numbers = {};
  options_.some = {{"samples", {{"a", 16}}}};
  EXPECT_THAT(refusal(), HasSubstr("ask for 17 answers: 2 to 16"));
  options_.some = {};
  EXPECT_EQ(ask({.prompt = "raw"}).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace lichen::mechanisms
