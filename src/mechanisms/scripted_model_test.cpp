#include "mechanisms/scripted_model.h"

#include <gtest/gtest.h>

#include <thread>

namespace lichen::mechanisms {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Request ask(std::string text) {
  return {.messages = {{.role = "user", .content = std::move(text)}}};
}

TEST(ScriptedModel, StreamsItsWordsAndWritesAStep) {
  ScriptedModel model("small", {{.text = " one two\nthree "}});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = run(model.answer(ask("a b c"), turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, " one two\nthree ");
  EXPECT_EQ(sink.text(), answer->text);
  EXPECT_EQ(sink.pieces.size(), 4u);
  EXPECT_TRUE(sink.pieces[0].logprobs.empty());
  EXPECT_EQ(answer->tokens.size(), 4u);
  EXPECT_EQ(answer->prompt_tokens, 3);
  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  EXPECT_EQ(turn.receipt.steps[0].role, "answer");
  EXPECT_EQ(turn.receipt.steps[0].tokens_out, 4);
}

TEST(ScriptedModel, GivesItsScriptsInOrderAndKeepsWhatItWasAsked) {
  ScriptedModel model("m", {{.text = "first"}, {.text = "second"}});
  for (const char* expected : {"first", "second", "second"}) {
    Turn turn("plan");
    EXPECT_EQ(run(model.answer(ask(expected), turn))->text, expected);
  }
  ASSERT_EQ(model.requests().size(), 3u);
  EXPECT_EQ(model.requests()[1].messages[0].content, "second");
}

TEST(ScriptedModel, FailsWithinItsText) {
  ScriptedModel model("m",
                      {{.text = "a b c", .error = Error{Errc::upstream, "cut"}, .error_after = 2}});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = run(model.answer(ask("x"), turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().detail, "cut");
  EXPECT_EQ(sink.text(), "a b");
  EXPECT_EQ(turn.receipt.steps.at(0).tokens_out, 2);
}

TEST(ScriptedModel, EndsAtMaxTokensAndRefusesLongPrompts) {
  ScriptedModel model("m", {{.text = "a b c"}}, {.context_length = 2});
  Turn turn("plan");
  Request request = ask("x");
  request.max_tokens = 2;
  Result<Answer> answer = run(model.answer(request, turn));
  EXPECT_EQ(answer->text, "a b");
  EXPECT_EQ(answer->finish, Finish::length);
  EXPECT_EQ(run(model.answer(ask("1 2 3"), turn)).error().code, Errc::context_overflow);
}

TEST(ScriptedModel, StopsWhenTheReceiverLeaves) {
  ScriptedModel model("m", {{.text = "a b c"}});
  CollectingSink sink(1);
  Turn turn("plan", &sink);
  EXPECT_EQ(run(model.answer(ask("x"), turn)).error().code, Errc::cancelled);
  EXPECT_EQ(sink.text(), "a");
}

TEST(ScriptedModel, IsStoppedFromAnotherThreadWhileItWaits) {
  ScriptedModel model("m", {{.text = "a", .never_ends = true}});
  Turn turn("plan");
  std::jthread other([&turn, &model] {
    while (model.requests().empty()) std::this_thread::yield();
    turn.cancel();
  });
  EXPECT_EQ(run(model.answer(ask("x"), turn)).error().code, Errc::cancelled);
}

TEST(ScriptedModel, StopsAtTheDeadline) {
  ScriptedModel model("m", {{.text = "a", .first_token_after = hours(1)}});
  Turn turn("plan");
  turn.deadline = Clock::now() + milliseconds(1);
  EXPECT_EQ(run(model.answer(ask("x"), turn)).error().code, Errc::deadline_exceeded);
}

}  // namespace
}  // namespace lichen::mechanisms
