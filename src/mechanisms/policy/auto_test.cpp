#include "mechanisms/policy/auto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

std::shared_ptr<ScriptedModel> model(std::string name, Script script,
                                     std::optional<Price> price = {}) {
  ScriptedModel::Traits traits;
  traits.price = price;
  return std::make_shared<ScriptedModel>(std::move(name), std::vector<Script>{std::move(script)},
                                         traits);
}

class AutoTest : public testing::Test {
 protected:
  AutoTest() {
    options_.sequence = {{.name = "small", .answerer = small_},
                         {.name = "large", .answerer = large_}};
  }
  AnswererPtr build() {
    Result<AnswererPtr> built = build_auto(options_);
    EXPECT_TRUE(built) << built.error().detail;
    return built ? *built : nullptr;
  }
  static Result<Answer> ask(Answerer& plan, Turn& turn, std::string text = "hi") {
    Request request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    return run(plan.answer(std::move(request), turn));
  }
  Learner& learner() { return *options_.learners.at(0); }

  std::shared_ptr<ScriptedModel> small_ = model("small", {.text = "by small"});
  std::shared_ptr<ScriptedModel> large_ = model("large", {.text = "by large"});
  ScriptedOptions options_;
};

TEST_F(AutoTest, TheSafePlanStreamsAndTheReceiptSaysWhy) {
  const AnswererPtr plan = build();
  CollectingSink sink;
  Turn turn("p", &sink);
  ASSERT_TRUE(ask(*plan, turn));
  EXPECT_EQ(sink.text(), "by large");
  EXPECT_GT(sink.pieces.size(), 1U);
  ASSERT_EQ(turn.receipt.decisions.size(), 1U);
  EXPECT_EQ(turn.receipt.decisions[0].mechanism, "auto");
  EXPECT_EQ(turn.receipt.decisions[0].choice, "large");
  EXPECT_EQ(turn.receipt.decisions[0].reason, "expected 1.00");
}

TEST_F(AutoTest, SafeMayBeAnyOfThePlans) {
  options_.choices["safe"] = "small";
  Turn turn("p");
  EXPECT_EQ(ask(*build(), turn)->text, "by small");
}

TEST_F(AutoTest, ShowsWhatItChoosesAndWhatThatWasWorth) {
  options_.numbers["explore"] = 0.5;
  const AnswererPtr plan = build();
  std::string last;
  for (int i = 0; i < 4; ++i) {
    Turn turn("p");
    ASSERT_TRUE(ask(*plan, turn));
    last = turn.receipt.decisions.at(0).choice;
    EXPECT_TRUE(std::isnan(options_.metric("lichen_auto_score", last))) << "nobody has said";
    if (i == 3) learner().feedback(turn.receipt.id, 0.75);
  }
  EXPECT_EQ(options_.metric("lichen_auto_chosen_total", "small"), 2) << "half is explored";
  EXPECT_EQ(options_.metric("lichen_auto_explored_total", "small"), 2);
  EXPECT_EQ(options_.metric("lichen_auto_chosen_total", "large"), 2);
  EXPECT_EQ(options_.metric("lichen_auto_explored_total", "large"), 0);
  EXPECT_EQ(options_.metric("lichen_auto_score", last), 0.75);
  EXPECT_TRUE(std::isnan(options_.metric("lichen_auto_budget"))) << "there is none";
}

TEST_F(AutoTest, ShowsItsBudget) {
  options_.some["budget"] = {{"large_tokens_per_hour", 5}};
  const AnswererPtr plan = build();
  Turn turn("p");
  ASSERT_TRUE(ask(*plan, turn));
  EXPECT_EQ(options_.metric("lichen_auto_budget"), 5);
  EXPECT_EQ(options_.metric("lichen_auto_budget_spent"), 2) << "by large";
  EXPECT_GE(options_.metric("lichen_auto_budget_price"), 0);
}

TEST_F(AutoTest, LearnsFromFeedbackByTheIdThatTheUserSees) {
  options_.numbers["explore"] = 0;
  const AnswererPtr plan = build();
  for (int i = 0; i < 5; ++i) {
    Turn turn("p");
    const auto child = turn.child();  // as within another mechanism
    ASSERT_TRUE(ask(*plan, *child));
    const std::string before = learner().state();
    learner().feedback(child->receipt.id, 0);
    EXPECT_EQ(learner().state(), before);
    learner().feedback(turn.receipt.id, 0);
    EXPECT_NE(learner().state(), before);
  }
  // Large is expected to be as poor as small, which has shown nothing: the safe one still answers.
  Turn turn("p");
  EXPECT_EQ(ask(*plan, turn)->text, "by large");
  EXPECT_THAT(turn.receipt.decisions[0].reason, HasSubstr("expected 0."));
}

TEST_F(AutoTest, AFailureOfThePlanCountsAndIsPassedOn) {
  options_.sequence[1].answerer = model("large", {.error = Error{Errc::upstream, "down"}});
  options_.numbers["explore"] = 0;
  const AnswererPtr plan = build();
  for (int i = 0; i < 3; ++i) {
    Turn turn("p");
    const auto answer = ask(*plan, turn);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::upstream);
  }
  Turn turn("p");
  std::ignore = ask(*plan, turn);
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("expected 0."));
}

TEST_F(AutoTest, AnErrorOfTheRequestSaysNothingOfThePlan) {
  options_.sequence[1].answerer = model("large", {.error = Error{Errc::bad_request, "odd"}});
  const AnswererPtr plan = build();
  for (int i = 0; i < 3; ++i) {
    Turn turn("p");
    EXPECT_FALSE(ask(*plan, turn));
    EXPECT_EQ(turn.receipt.decisions.at(0).reason, "expected 1.00");
  }
}

TEST_F(AutoTest, TheVerifierIsAskedWithTheQuestionAndTheAnswer) {
  const auto judge = model("judge", {.text = "No."});
  options_.answerers["verifier"] = judge;
  options_.numbers["verify"] = 1;
  const AnswererPtr plan = build();
  Turn turn("p");
  EXPECT_EQ(ask(*plan, turn, "What is 1 + 1?")->text, "by large");
  ASSERT_EQ(judge->requests().size(), 1U);
  const std::string prompt = judge->requests()[0].messages.at(0).content;
  EXPECT_THAT(prompt, HasSubstr("What is 1 + 1?"));
  EXPECT_THAT(prompt, HasSubstr("by large"));
  ASSERT_EQ(turn.receipt.steps.size(), 2U);
  EXPECT_EQ(turn.receipt.steps[1].role, "verify");
  ASSERT_EQ(turn.receipt.decisions.size(), 2U);
  EXPECT_EQ(turn.receipt.decisions[1].choice, "wrong");
  Turn next("p");
  ASSERT_TRUE(ask(*plan, next, "What is 1 + 1?"));
  EXPECT_NE(next.receipt.decisions[0].reason, "expected 1.00");
}

TEST_F(AutoTest, AVerifierThatFailsOrMumblesSaysNothing) {
  options_.answerers["verifier"] = std::make_shared<ScriptedModel>(
      "judge", std::vector<Script>{
                   {.text = "Perhaps"}, {.text = ""}, {.error = Error{Errc::upstream, "x"}}});
  options_.numbers["verify"] = 1;
  const AnswererPtr plan = build();
  for (int i = 0; i < 4; ++i) {
    Turn turn("p");
    EXPECT_TRUE(ask(*plan, turn));
    ASSERT_EQ(turn.receipt.decisions.size(), 1U);
    EXPECT_EQ(turn.receipt.decisions[0].reason, "expected 1.00");
  }
}

TEST_F(AutoTest, ABudgetOfTokensIsThatOfTheLargeModel) {
  options_.some["budget"] = {{"large_tokens_per_hour", 3}};
  options_.numbers["explore"] = 0.5;
  const AnswererPtr plan = build();
  int by_large = 0;
  for (int i = 0; i < 10; ++i) {
    Turn turn("p");
    const auto answer = ask(*plan, turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    by_large += answer->text == "by large";
  }
  EXPECT_EQ(by_large, 2) << "two tokens each: the second goes beyond, and is the last";
}

TEST_F(AutoTest, ABudgetOfDollarsCountsAllSteps) {
  const Price price{.input = 0, .output = 1};
  options_.sequence[0].answerer = model("small", {.text = "one two"}, price);
  options_.sequence[1].answerer = model("large", {.text = "one two three four"}, price);
  options_.some["budget"] = {{"usd_per_hour", 5.5e-6}};
  options_.numbers["explore"] = 0;
  const AnswererPtr plan = build();
  Turn first("p"), second("p"), third("p");
  EXPECT_TRUE(ask(*plan, first));
  EXPECT_TRUE(ask(*plan, second));
  const auto refused = ask(*plan, third);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::budget_exceeded);
  EXPECT_THAT(refused.error().detail, HasSubstr("USD per hour"));
}

TEST_F(AutoTest, WhatCannotWorkIsAnError) {
  const auto wrong = [&](auto change) {
    ScriptedOptions options = options_;
    change(options);
    const auto built = build_auto(options);
    return built ? std::string("it was built") : built.error().detail;
  };
  EXPECT_THAT(wrong([](auto& o) { o.sequence.pop_back(); }), HasSubstr("two plans at least"));
  EXPECT_THAT(wrong([](auto& o) { o.sequence[0].name = "large"; }), HasSubstr("two `large`"));
  EXPECT_THAT(wrong([](auto& o) { o.choices["safe"] = "huge"; }), HasSubstr("safe"));
  EXPECT_THAT(wrong([](auto& o) { o.numbers["explore"] = 2; }), HasSubstr("explore"));
  EXPECT_THAT(wrong([](auto& o) { o.numbers["verify"] = 0.1; }), HasSubstr("verifier"));
  EXPECT_THAT(wrong([](auto& o) {
                o.some["budget"] = {{"usd_per_hour", 1}, {"large_tokens_per_hour", 1}};
              }),
              HasSubstr("either"));
  const AnswererPtr inner = build();  // no model
  EXPECT_THAT(wrong([&](auto& o) {
                o.sequence[1].answerer = inner;
                o.some["budget"] = {{"large_tokens_per_hour", 1}};
              }),
              HasSubstr("name it by `large`"));
}

}  // namespace
}  // namespace lichen::mechanisms
