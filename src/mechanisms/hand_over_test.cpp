#include "mechanisms/hand_over.h"

#include <gtest/gtest.h>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

TEST(AbsorbAs, RenamesTheStepsThatAnswered) {
  Turn turn("plan");
  turn.receipt.steps.push_back({.model = "own", .role = "answer"});
  auto child = turn.child();
  child->receipt.steps.push_back({.model = "small", .role = "answer"});
  child->receipt.steps.push_back({.model = "judge", .role = "verify"});
  child->receipt.decisions.push_back({.mechanism = "route", .choice = "small", .reason = "why"});
  absorb_as(turn, *child, "draft");
  ASSERT_EQ(turn.receipt.steps.size(), 3u);
  EXPECT_EQ(turn.receipt.steps[0].role, "answer");
  EXPECT_EQ(turn.receipt.steps[1].role, "draft");
  EXPECT_EQ(turn.receipt.steps[2].role, "verify");
  EXPECT_EQ(turn.receipt.decisions.size(), 1u);
}

Answer by_two_authors() {
  Answer answer;
  answer.text = "ab\xC3\xA9xyz";  // "abéxyz"
  answer.authors = {{.model = "small", .tokens = 2, .bytes = 2},
                    {.model = "large", .tokens = 2, .bytes = 5}};
  for (const char* token : {"a", "b", "\xC3\xA9x", "yz"}) {
    answer.tokens.push_back({.text = token, .logprob = -1});
  }
  return answer;
}

TEST(EmitWhole, KeepsAuthorsAndTheirLogprobs) {
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(run(emit_whole(by_two_authors(), true, turn)));
  ASSERT_EQ(sink.pieces.size(), 2u);
  EXPECT_EQ(sink.pieces[0].text, "ab");
  EXPECT_EQ(sink.pieces[0].model, "small");
  EXPECT_EQ(sink.pieces[0].tokens, 2);
  EXPECT_EQ(sink.pieces[1].model, "large");
  ASSERT_EQ(sink.pieces[0].logprobs.size(), 2u);
  ASSERT_EQ(sink.pieces[1].logprobs.size(), 2u);
  EXPECT_EQ(sink.pieces[1].logprobs[1].text, "yz");
  EXPECT_TRUE(turn.receipt.first_token_ms);
}

TEST(EmitWhole, BeginsWithWhatWasThought) {
  CollectingSink sink;
  Turn turn("plan", &sink);
  Answer answer = by_two_authors();
  answer.reasoning = "hm";
  ASSERT_TRUE(run(emit_whole(std::move(answer), false, turn)));
  ASSERT_EQ(sink.pieces.size(), 3u);
  EXPECT_EQ(sink.pieces[0].reasoning, "hm");
  EXPECT_EQ(sink.pieces[0].text, "");
}

TEST(EmitWhole, GivesNoLogprobsThatWereNotAskedFor) {
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(run(emit_whole(by_two_authors(), false, turn)));
  for (const Piece& piece : sink.pieces) EXPECT_TRUE(piece.logprobs.empty());
}

TEST(EmitWhole, NeverCutsACharacter) {
  Answer answer = by_two_authors();
  answer.authors[0].bytes = 3;  // one byte into the é
  answer.authors[1].bytes = 4;
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(run(emit_whole(answer, false, turn)));
  ASSERT_EQ(sink.pieces.size(), 2u);
  EXPECT_EQ(sink.pieces[0].text, "ab");
  EXPECT_EQ(sink.text(), answer.text);
}

TEST(EmitWhole, EmitsAllTextWhateverTheAuthorsSay) {
  for (const std::int64_t bytes : {-5, 0, 1'000}) {
    Answer answer = by_two_authors();
    answer.authors[0].bytes = bytes;
    answer.authors[0].tokens = bytes;
    CollectingSink sink;
    Turn turn("plan", &sink);
    ASSERT_TRUE(run(emit_whole(answer, true, turn)));
    EXPECT_EQ(sink.text(), answer.text);
  }
}

TEST(EmitWhole, FailsWhenNobodyListens) {
  CollectingSink sink(1);
  Turn turn("plan", &sink);
  Result<void> sent = run(emit_whole(by_two_authors(), false, turn));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
