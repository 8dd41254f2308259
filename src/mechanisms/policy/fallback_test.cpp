#include "mechanisms/policy/fallback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

const Request kRequest{.messages = {{"user", "question"}}};

class FallbackTest : public testing::Test {
 protected:
  std::shared_ptr<ScriptedModel> add(const std::string& name, Script script) {
    auto model = std::make_shared<ScriptedModel>(name, std::vector<Script>{std::move(script)});
    options_.sequence.push_back({.name = name, .answerer = model});
    return model;
  }
  Result<Answer> ask(Turn& turn) {
    return run((*build_fallback(options_))->answer(kRequest, turn));
  }

  ScriptedOptions options_;
};

TEST_F(FallbackTest, TheFirstThatWorksAnswers) {
  add("a", {.text = "from a"});
  const auto b = add("b", {.text = "from b"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "from a");
  EXPECT_EQ(sink.text(), "from a");
  EXPECT_EQ(sink.pieces.size(), 2u) << "streams piece by piece";
  EXPECT_TRUE(turn.receipt.first_token_ms);
  EXPECT_TRUE(b->requests().empty());
  EXPECT_TRUE(turn.receipt.decisions.empty());
  EXPECT_EQ(turn.receipt.steps.at(0).role, "answer");
}

TEST_F(FallbackTest, GoesOnAfterAnyFailureOfAnAlternative) {
  for (const Errc code :
       {Errc::context_overflow, Errc::unsupported, Errc::unauthorized, Errc::not_found,
        Errc::too_large, Errc::rate_limited, Errc::budget_exceeded, Errc::deadline_exceeded,
        Errc::overloaded, Errc::bad_model, Errc::upstream, Errc::internal}) {
    options_.sequence.clear();
    add("a", {.error = Error{code, "as scripted"}});
    add("b", {.text = "from b"});
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = ask(turn);
    ASSERT_TRUE(answer) << to_string(code);
    EXPECT_EQ(sink.text(), "from b");
    ASSERT_EQ(turn.receipt.decisions.size(), 1u);
    const Decision& decision = turn.receipt.decisions[0];
    EXPECT_EQ(decision.mechanism, "fallback");
    EXPECT_EQ(decision.choice, "b");
    EXPECT_EQ(decision.reason, "a: " + std::string(to_string(code)) + ": as scripted");
    ASSERT_EQ(turn.receipt.steps.size(), 2u);
    EXPECT_EQ(turn.receipt.steps[0].role, "failed");
    EXPECT_EQ(turn.receipt.steps[1].role, "answer");
  }
}

TEST_F(FallbackTest, StaysWhereAnotherMustNotBeAsked) {
  for (const Errc code : {Errc::bad_request, Errc::refused, Errc::cancelled}) {
    options_.sequence.clear();
    add("a", {.error = Error{code, "as scripted"}});
    const auto b = add("b", {.text = "from b"});
    Turn turn("plan");
    Result<Answer> answer = ask(turn);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, code);
    EXPECT_EQ(answer.error().detail, "as scripted");
    EXPECT_TRUE(b->requests().empty());
    EXPECT_EQ(turn.receipt.decisions.at(0).choice, "none");
  }
}

TEST_F(FallbackTest, TheNextGoesOnBehindWhatWasShown) {
  add("a", {.text = "one two three", .error = Error{Errc::upstream, "cut"}, .error_after = 2});
  const auto b = add("b", {.text = " 3 four"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Request request = kRequest;
  request.max_tokens = 10;
  Result<Answer> answer = run((*build_fallback(options_))->answer(request, turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "one two 3 four");
  EXPECT_EQ(sink.text(), "one two 3 four");
  ASSERT_EQ(b->requests().size(), 1u);
  EXPECT_EQ(b->requests()[0].begun, "one two");
  EXPECT_EQ(b->requests()[0].max_tokens, 8);
  ASSERT_EQ(answer->authors.size(), 2u);
  EXPECT_EQ(answer->authors[0].model, "a");
  EXPECT_EQ(answer->authors[0].bytes, 7);
  EXPECT_EQ(answer->authors[1].model, "b");
  EXPECT_EQ(answer->completion_tokens, 4);
  EXPECT_EQ(roles(turn), (std::vector<std::string>{"a:answer", "b:answer"}));
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "b");
}

TEST_F(FallbackTest, OneThatRefusesTheBeginningIsPassedOver) {
  add("a", {.text = "one two three", .error = Error{Errc::upstream, "cut"}, .error_after = 2});
  add("b", {.error = Error{Errc::bad_request, "no prefix"}});
  add("c", {.text = " three"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "one two three");
  EXPECT_EQ(sink.text(), answer->text);
}

TEST_F(FallbackTest, AnAnswerMayBreakOffTwice) {
  add("a", {.text = "one two", .error = Error{Errc::upstream, "cut"}, .error_after = 1});
  add("b", {.text = " two three", .error = Error{Errc::upstream, "cut"}, .error_after = 1});
  const auto c = add("c", {.text = " three"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "one two three");
  EXPECT_EQ(c->requests().at(0).begun, "one two");
}

TEST_F(FallbackTest, ToolsAreNotGoneOnWith) {
  add("a", {.text = "one two three", .error = Error{Errc::upstream, "cut"}, .error_after = 2});
  const auto b = add("b", {.text = "from b"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Request request = kRequest;
  request.tools = {boost::json::object{{"type", "function"}}};
  EXPECT_FALSE(run((*build_fallback(options_))->answer(request, turn)));
  EXPECT_TRUE(b->requests().empty());
}

TEST_F(FallbackTest, ShownTextStaysWhereNobodyGoesOn) {
  add("a", {.text = "one two three", .error = Error{Errc::upstream, "cut"}, .error_after = 2});
  const auto b = std::make_shared<ScriptedModel>("b", std::vector<Script>{{.text = "from b"}},
                                                 ScriptedModel::Traits{.continues = false});
  options_.sequence.push_back({.name = "b", .answerer = b});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_EQ(sink.text(), "one two");
  EXPECT_TRUE(b->requests().empty());
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("after text of it had been sent"));
}

TEST_F(FallbackTest, WithoutAStreamABrokenAnswerIsReplaced) {
  for (const double timeout : {0.0, 3'600'000.0}) {
    options_.sequence.clear();
    options_.numbers = {{"timeout_ms", timeout}};
    add("a", {.text = "one two three", .error = Error{Errc::upstream, "cut"}, .error_after = 1});
    add("b", {.text = "from b"});
    Turn turn("plan");
    Request request = kRequest;
    request.max_tokens = 2;
    Result<Answer> answer = run((*build_fallback(options_))->answer(std::move(request), turn));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "from b") << "what nobody saw is not taken off max_tokens";
    EXPECT_TRUE(turn.receipt.first_token_ms);
  }
}

TEST_F(FallbackTest, AnAlternativeThatTakesTooLongIsLeft) {
  options_.numbers = {{"timeout_ms", 1}};
  add("slow", {.text = "too late", .first_token_after = hours(1)});
  // The last one has all the time that the turn has.
  add("last", {.text = "from last", .first_token_after = milliseconds(5)});
  for (const bool streams : {true, false}) {
    CollectingSink sink;
    Turn turn("plan", streams ? &sink : nullptr);
    Result<Answer> answer = ask(turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "from last");
    EXPECT_EQ(sink.text(), streams ? "from last" : "");
    EXPECT_EQ(turn.receipt.decisions.at(0).reason,
              "slow: deadline_exceeded: no token within timeout_ms, 1 ms");
  }
}

TEST_F(FallbackTest, TheTimeoutEndsWithTheFirstToken) {
  options_.numbers = {{"timeout_ms", 1}};
  add("a", {.text = "prompt but slow", .between_tokens = milliseconds(3)});
  add("b", {.text = "from b"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "prompt but slow");
}

TEST_F(FallbackTest, TheTurnsEndIsFinal) {
  const auto a = add("a", {.text = "a", .first_token_after = hours(1)});
  const auto b = add("b", {.text = "from b"});
  {
    Turn turn("plan");
    turn.deadline = Clock::now() + milliseconds(1);
    EXPECT_EQ(ask(turn).error().code, Errc::deadline_exceeded);
  }
  {
    Turn turn("plan");
    std::jthread other([&a, &turn] {
      while (a->requests().size() < 2) std::this_thread::yield();
      turn.cancel();
    });
    EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  }
  EXPECT_TRUE(b->requests().empty());
}

TEST_F(FallbackTest, AReceiverThatLeavesIsFinal) {
  add("a", {.text = "from a"});
  const auto b = add("b", {.text = "from b"});
  for (const std::size_t limit : {0, 1}) {
    CollectingSink sink(limit);
    Turn turn("plan", &sink);
    EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  }
  EXPECT_TRUE(b->requests().empty());
}

TEST_F(FallbackTest, TheLastErrorListsAll) {
  add("a", {.error = Error{Errc::rate_limited, "slow down", 30}});
  add("b", {.error = Error{Errc::overloaded, "full", 7}});
  add("c", {.error = Error{Errc::upstream, "no route"}});
  Turn turn("plan");
  Result<Answer> answer = ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_EQ(answer.error().detail,
            "all 3 alternatives failed: a: rate_limited: slow down; b: overloaded: full; "
            "c: upstream: no route");
  EXPECT_EQ(answer.error().retry_after_s, 7);
  ASSERT_EQ(turn.receipt.decisions.size(), 3u);
  EXPECT_EQ(turn.receipt.decisions[1].choice, "c");
  EXPECT_EQ(turn.receipt.decisions[2].choice, "none");
}

TEST_F(FallbackTest, ALimitOfTheLastOneDoesNotHideAPassingFailure) {
  add("large", {.error = Error{Errc::overloaded, "full"}});
  add("small", {.error = Error{Errc::context_overflow, "too long"}});
  Turn turn("plan");
  EXPECT_EQ(ask(turn).error().code, Errc::overloaded);
}

TEST_F(FallbackTest, TooLongForAllIsTooLong) {
  add("large", {.error = Error{Errc::context_overflow, "too long"}});
  add("small", {.error = Error{Errc::context_overflow, "far too long"}});
  Turn turn("plan");
  EXPECT_EQ(ask(turn).error().code, Errc::context_overflow);
}

TEST_F(FallbackTest, ALoneAlternativesErrorIsItsOwn) {
  add("a", {.error = Error{Errc::upstream, "no route"}});
  Turn turn("plan");
  EXPECT_EQ(ask(turn).error().detail, "no route");
}

}  // namespace
}  // namespace lichen::mechanisms
