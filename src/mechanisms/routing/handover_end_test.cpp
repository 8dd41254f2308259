// What ends or limits a handover's answer: stop strings, lengths, cancellation, failures; and its
// form.
#include "base/utf8.h"
#include "mechanisms/routing/handover_fixture.h"

namespace lichen::mechanisms {
namespace {

using model::LocalModel;

TEST_F(HandoverTest, AStopStringOfTwoAuthorsEndsTheAnswer) {
  request_.stop = {"stop"};
  pair("one stXp two", "123456o890");
  EXPECT_EQ(answered(), "one []");
  EXPECT_EQ(answer_.finish, Finish::stop);
  EXPECT_EQ(answer_.completion_tokens, 8);
  pair("one stXy two", "123456o890");
  EXPECT_EQ(answered(), "one st[o]y two");
}

TEST_F(HandoverTest, ACharacterOfTwoAuthorsIsWhole) {
  pair("h\xC3Xllo",
       "12\xA9"
       "4567");
  EXPECT_EQ(answered(), "h[\xC3\xA9]llo");
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(ask(turn));
  for (const Piece& piece : sink.pieces) EXPECT_TRUE(base::valid_utf8(piece.text));
  EXPECT_EQ(sink.pieces.at(1).model, "large");
  EXPECT_EQ(sink.pieces.at(1).tokens, 2);
}

TEST_F(HandoverTest, MaxTokensEndsAStretch) {
  numbers_ = {{"span", 5}};
  request_.max_tokens = 4;
  pair("abXdefgh", "123456789");
  EXPECT_EQ(answered(), "ab[34]");
  EXPECT_EQ(answer_.finish, Finish::length);
}

TEST_F(HandoverTest, TheShorterContextEndsTheAnswer) {
  auto limits = kLimits;
  limits.train_length = kPrompt + 5;
  pair(saying("abXdefgh"), saying("123456789", limits));
  EXPECT_EQ(answered(), "ab[3]de");
  EXPECT_EQ(answer_.finish, Finish::length);
  pair(saying("abXdefgh", limits), saying("123456789"));
  EXPECT_EQ(answered(), "ab[3]de");
  limits.train_length = kPrompt;
  pair(saying("abXdefgh", limits), saying("123456789"));
  EXPECT_EQ(answered(), "context_overflow");
  pair(saying("abXdefgh"), saying("123456789", limits));
  EXPECT_EQ(answered(), "context_overflow");
}

TEST_F(HandoverTest, LogprobsAreOfWhoeverWrote) {
  request_.logprobs = true;
  request_.top_logprobs = 2;
  pair("abXde", "12345");
  EXPECT_EQ(answered(), "ab[3]de");
  ASSERT_EQ(answer_.tokens.size(), 5u);
  EXPECT_EQ(answer_.tokens[2].text, "3");
  for (const AnswerToken& token : answer_.tokens) {
    EXPECT_EQ(token.top.size(), 2u);
    EXPECT_EQ(token.top[0].text, token.text);
    EXPECT_NEAR(token.logprob, 0, 1e-3);
  }
}

TEST_F(HandoverTest, ToolCallsOfTwoAuthorsAreRead) {
  request_.tools = {"some tool"};
  pair("so <caXl>it up", "123456l890");
  answered();
  EXPECT_EQ(answer_.text, "so ");
  EXPECT_EQ(answer_.finish, Finish::tool_calls);
  EXPECT_EQ(answer_.tool_calls, boost::json::array{"it up"});
}

TEST_F(HandoverTest, AListenerThatGoesEndsItMidSpan) {
  numbers_ = {{"span", 5}};
  pair("abXdefgh", "123456789");
  CollectingSink sink(4);
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_EQ(sink.text(), "ab34") << "what was shown stays";
  ASSERT_EQ(turn.receipt.authors.size(), 2u);
  EXPECT_EQ(turn.receipt.authors[0].bytes, 2);
  EXPECT_EQ(turn.receipt.authors[1].model, "large");
  EXPECT_EQ(turn.receipt.authors[1].tokens, 2);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[1].tokens_out, 3) << "written, if not taken";
}

TEST_F(HandoverTest, CancellationReachesLargesSpan) {
  numbers_ = {{"span", 5}};
  auto large = saying("123456789");
  Turn turn("plan");
  large->on_decode = [&turn, steps = 0](auto) mutable {
    if (++steps == 3) turn.cancel();
    return true;
  };
  pair(saying("abXdefgh"), std::move(large));
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[1].tokens_in, kPrompt + 2);
  EXPECT_LE(turn.receipt.steps[1].tokens_out, 3);
  lane_->call([] {});
  EXPECT_EQ(std::static_pointer_cast<LocalModel>(large_)->stats().sessions, 0);
}

TEST_F(HandoverTest, ADeadlineEndsIt) {
  pair("abXdefgh", "123456789");
  Turn turn("plan");
  turn.deadline = Clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(ask(turn).error().code, Errc::deadline_exceeded);
}

TEST_F(HandoverTest, AFailureOfLargeIsTyped) {
  auto large = saying("123456789");
  large->on_decode = [](auto) { return false; };
  pair(saying("abXdefgh"), std::move(large));
  CollectingSink sink;
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::internal);
  EXPECT_EQ(sink.text(), "ab");
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.decisions.size(), 1u);
}

}  // namespace
}  // namespace lichen::mechanisms
