#include "mechanisms/pipeline/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

const std::string kQuestion = "Describe the lamp.";

/// Says of each point what `says` has under its name, and otherwise "It has a NAME."
std::shared_ptr<ScriptedModel> writer(const std::string& name,
                                      std::map<std::string, Script> says = {}) {
  return std::make_shared<ScriptedModel>(
      name,
      [says = std::move(says)](const Request& request) {
        const std::string& asked = request.messages.back().content;
        const auto at = asked.rfind(": ");
        const std::string point = at == std::string::npos ? "" : asked.substr(at + 2);
        const auto found = says.find(point);
        return found != says.end() ? found->second : Script{.text = "It has a " + point + "."};
      },
      ScriptedModel::Traits{});
}

class ExpandTest : public testing::Test {
 protected:
  Result<Answer> ask(Script outline, std::shared_ptr<ScriptedModel> small = writer("small"),
                     Request request = {.messages = {{"user", kQuestion}}}) {
    small_ = std::move(small);
    large_ = std::make_shared<ScriptedModel>(
        "large", std::vector<Script>{std::move(outline), {.text = "It is a lamp."}});
    options_.answerers["outline"] = large_;
    options_.answerers["by"] = small_;
    const auto plan = build_expand(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }
  std::vector<std::string> asked_of_small() const {
    std::vector<std::string> asked;
    for (const Request& request : small_->requests()) {
      asked.push_back(request.messages.back().content);
    }
    return asked;
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_;
};

TEST_F(ExpandTest, SmallWritesAllPointsOfTheOutline) {
  const auto answer = ask({.text = "1. price\n2. maker\n"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It has a price.\nIt has a maker.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(sink_.pieces.size(), 8u) << "words as they come";
  EXPECT_EQ(large_->requests().at(0).messages.back().content,
            kQuestion +
                "\n\nDo not answer yet. List the points of the answer, a few words each, "
                "one a line.");
  EXPECT_THAT(asked_of_small(),
              UnorderedElementsAre(
                  kQuestion + "\n\nPoints:\nprice\nmaker\n\nWrite only this point in full: price",
                  kQuestion + "\n\nPoints:\nprice\nmaker\n\nWrite only this point in full: maker"));
  EXPECT_THAT(roles(turn_), ElementsAre("large:outline", "small:answer", "small:answer"));
  EXPECT_EQ(decision().choice, "points");
  EXPECT_EQ(decision().reason, "2 points");
  EXPECT_EQ(answer->completion_tokens, 8);
  EXPECT_GT(answer->prompt_tokens, 0);
}

TEST_F(ExpandTest, WithoutAStreamItIsTheSame) {
  Turn turn("plan");
  options_.answerers = {{"outline", writer("large", {{"", {.text = "price\nmaker"}}})},
                        {"by", writer("small")}};
  const auto plan = build_expand(options_);
  const auto answer = run((*plan)->answer({.messages = {{"user", kQuestion}}}, turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It has a price.\nIt has a maker.");
  ASSERT_EQ(answer->authors.size(), 1u);
  EXPECT_EQ(answer->authors[0].tokens, 8);
}

TEST_F(ExpandTest, TheOrderIsTheOutlinesWhoeverIsReadyFirst) {
  const auto slow = writer("small", {{"price",
                                      {.text = "One two three.",
                                       .first_token_after = milliseconds(20),
                                       .between_tokens = milliseconds(5)}}});
  const auto answer = ask({.text = "price\nmaker\ntype"}, slow);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "One two three.\nIt has a maker.\nIt has a type.");
}

TEST_F(ExpandTest, APointMayBeginWithItsLine) {
  options_.choices = {{"begin", "line"}};
  ASSERT_TRUE(ask({.text = "price\nmaker", .between_tokens = milliseconds(5)}));
  EXPECT_THAT(asked_of_small(),
              ElementsAre(kQuestion + "\n\nPoints:\nprice\n\nWrite only this point in full: price",
                          kQuestion + "\n\nPoints:\nprice\nmaker\n\nWrite only this point in full: "
                                      "maker"));
  EXPECT_EQ(sink_.text(), "It has a price.\nIt has a maker.");
}

TEST_F(ExpandTest, WithoutAnOutlineLargeAnswers) {
  const auto answer = ask({.text = "The answer is 42."});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "It is a lamp.");
  EXPECT_TRUE(small_->requests().empty());
  EXPECT_EQ(large_->requests().at(1).messages.back().content, kQuestion);
  EXPECT_THAT(roles(turn_), ElementsAre("large:outline", "large:answer"));
  EXPECT_EQ(decision().choice, "plain");
  EXPECT_EQ(decision().reason, "the outline has one point only");
}

TEST_F(ExpandTest, NothingIsShownOfPointsThatWereBegunInVain) {
  options_.choices = {{"begin", "line"}};
  options_.numbers = {{"points", 2}};
  const auto answer = ask({.text = "price\nmaker\ntype\nuse\n", .between_tokens = milliseconds(5)});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "It is a lamp.");
  EXPECT_EQ(turn_.receipt.steps.at(0).tokens_out, 4) << "an outline that is none is not read on";
  EXPECT_THAT(roles(turn_), Contains("small:unused"));
}

TEST_F(ExpandTest, LargeMustBeSureOfItsOutline) {
  options_.numbers = {{"accept", 0.9}};
  ASSERT_TRUE(ask({.text = "price\nmaker", .logprob = std::log(0.95F)}));
  EXPECT_EQ(decision().choice, "points");
  ASSERT_TRUE(ask({.text = "price\nmaker", .logprob = std::log(0.75F)}));
  EXPECT_EQ(turn_.receipt.decisions.at(1).reason,
            "the outline's least likely token has 0.750, under accept 0.9");
  ASSERT_TRUE(ask({.text = "price\nmaker", .logprobs = false}));
  EXPECT_EQ(turn_.receipt.decisions.at(2).reason, "the outline came without log-probabilities");
}

TEST_F(ExpandTest, AnOutlineMayBeCutOff) {
  options_.numbers = {{"outline_tokens", 2}};
  ASSERT_TRUE(ask({.text = "price\nmaker\ntype"}));
  EXPECT_EQ(decision().reason, "the outline was cut off at outline_tokens");
  EXPECT_EQ(sink_.text(), "It is a lamp.");
}

TEST_F(ExpandTest, AFormIsNotWrittenInPoints) {
  Request request{.messages = {{"user", kQuestion}}};
  request.format.json_object = true;
  ASSERT_TRUE(ask({.text = "{}"}, writer("small"), request));
  EXPECT_EQ(sink_.text(), "{}");
  EXPECT_FALSE(large_->requests().at(0).format.free());
}

TEST_F(ExpandTest, WhatWasBegunIsGoneOnWith) {
  Request request{.messages = {{"user", kQuestion}}, .begun = "It "};
  const auto answer = ask({.text = "is a lamp."}, writer("small"), request);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "is a lamp.");
  EXPECT_TRUE(small_->requests().empty());
}

TEST_F(ExpandTest, LimitsAreThoseOfTheWhole) {
  const auto answer = ask({.text = "price\nmaker\ntype"}, writer("small"),
                          {.messages = {{"user", kQuestion}}, .max_tokens = 6});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It has a price.\nIt has");
  EXPECT_EQ(answer->finish, Finish::length);
  const auto stopped = ask({.text = "price\nmaker\ntype"}, writer("small"),
                           {.messages = {{"user", kQuestion}}, .stop = {"maker"}});
  ASSERT_TRUE(stopped) << stopped.error().detail;
  EXPECT_EQ(stopped->text, "It has a price.\nIt has a ");
  EXPECT_TRUE(small_->requests().at(0).stop.empty());
}

TEST_F(ExpandTest, APointThatFailsEndsThePlan) {
  const auto fails = writer("small", {{"maker", {.error = Error{Errc::upstream, "it hung up"}}}});
  const auto answer = ask({.text = "price\nmaker\ntype"}, fails);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_EQ(answer.error().detail,
            "`expand`: point 2 of 3 (`maker`) failed, behind 1 that are written: it hung up");
  EXPECT_EQ(sink_.text(), "It has a price.") << "what was shown stays";
  EXPECT_THAT(roles(turn_), Contains("small:failed"));
  EXPECT_EQ(decision().choice, "none");
}

TEST_F(ExpandTest, AFallbackWritesWhatSmallCannot) {
  options_.answerers["fallback"] = writer("other", {{"maker", {.text = "Who knows?"}}});
  const auto fails = writer(
      "small",
      {{"price", {.text = " "}},
       {"maker",
        {.text = "Made by", .error = Error{Errc::upstream, "it hung up"}, .error_after = 2}}});
  const auto answer = ask({.text = "price\nmaker\ntype"}, fails);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "It has a price.\nWho knows?\nIt has a type.");
  EXPECT_EQ(decision().reason, "3 points, 2 by the fallback");
  EXPECT_THAT(roles(turn_), Contains("other:answer"));
}

TEST_F(ExpandTest, WhatWasShownOfAPointStays) {
  options_.answerers["fallback"] = writer("other");
  const auto fails = writer("small", {{"price",
                                       {.text = "One two",
                                        .between_tokens = milliseconds(20),
                                        .error = Error{Errc::upstream, "it hung up"},
                                        .error_after = 2}}});
  const auto answer = ask({.text = "price\nmaker"}, fails);
  ASSERT_FALSE(answer);
  EXPECT_EQ(sink_.text(), "One two");
  EXPECT_THAT(roles(turn_), Not(Contains("other:answer")));
}

TEST_F(ExpandTest, WhereLargeFailsAFallbackAnswers) {
  const Script fails{.error = Error{Errc::upstream, "it hung up"}};
  EXPECT_EQ(ask(fails).error().code, Errc::upstream);
  EXPECT_EQ(decision().choice, "none");
  options_.answerers["fallback"] =
      std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "A lamp."}});
  const auto answer = ask(fails);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "A lamp.");
}

TEST_F(ExpandTest, RefusalsAreFinal) {
  const Script refuses{.error = Error{Errc::refused, "no"}};
  options_.answerers["fallback"] = writer("other");
  EXPECT_EQ(ask(refuses).error().code, Errc::refused);
  EXPECT_EQ(ask({.text = "price\nmaker"}, writer("small", {{"maker", refuses}})).error().code,
            Errc::refused);
  EXPECT_THAT(roles(turn_), Not(Contains("other:answer")));
}

TEST_F(ExpandTest, EndsWithTheTurn) {
  const auto hangs = writer("small", {{"price", {.text = "One", .never_ends = true}},
                                      {"maker", {.text = "Two", .never_ends = true}}});
  turn_.deadline = Clock::now() + milliseconds(50);
  const auto answer = ask({.text = "price\nmaker"}, hangs);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(turn_.receipt.steps.size(), 3u) << "cost is cost";
}

TEST_F(ExpandTest, EndsWhereNobodyListens) {
  const auto hangs = writer("small", {{"maker", {.text = "Two", .never_ends = true}}});
  CollectingSink gone(1);
  Turn turn("plan", &gone);
  options_.answerers = {{"outline", writer("large", {{"", {.text = "price\nmaker"}}})},
                        {"by", hangs}};
  const auto plan = build_expand(options_);
  const auto answer = run((*plan)->answer({.messages = {{"user", kQuestion}}}, turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
}

TEST_F(ExpandTest, RefusesWhatCannotBe) {
  EXPECT_EQ(ask({.text = "a\nb"}, writer("small"), {.prompt = "raw"}).error().code,
            Errc::unsupported);
  EXPECT_TRUE(large_->requests().empty());
  options_.numbers = {{"points", 2.5}};
  EXPECT_EQ(ask({.text = "a\nb"}).error().code, Errc::bad_config);
  options_.numbers = {{"points", 1}};
  EXPECT_EQ(ask({.text = "a\nb"}).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace lichen::mechanisms
