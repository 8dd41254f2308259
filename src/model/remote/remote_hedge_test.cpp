// A second upstream is asked when the first one's token is late.
#include <gmock/gmock.h>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two endpoints, the first of which is asked first, with a hedge.
struct Hedged {
  Hedged(std::vector<Reply> at_first, std::vector<Reply> at_second, milliseconds after)
      : first(std::move(at_first)), second(std::move(at_second)), at("", [&](auto& options) {
          options.urls = {{.url = first.url(), .weight = 1e6}, {.url = second.url(), .weight = 1}};
          options.hedge = Hedge{.after = after};
          options.price = Price{.input = 1, .output = 1};
        }) {}

  Result<Answer> ask() { return at.ask(turn); }
  std::vector<std::string> roles() const {
    std::vector<std::string> roles;
    for (const Step& step : turn.receipt.steps) roles.push_back(step.role);
    return roles;
  }

  FakeUpstream first;
  FakeUpstream second;
  Remotely at;
  Pieces pieces;
  Turn turn{"cloud", &pieces};
};

TEST(RemoteHedge, TheSecondAnswersWhereTheFirstIsLate) {
  Hedged hedged({Reply::events().stall()}, {Reply::chat({"o", "k"})}, milliseconds(20));
  const auto answer = hedged.ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "ok");
  EXPECT_EQ(hedged.pieces.text(), "ok");
  EXPECT_TRUE(hedged.first.wait_for_closed(1)) << "the loser is cancelled";
  EXPECT_THAT(hedged.roles(), ElementsAre("hedge", "answer"));
  const Step& loser = hedged.turn.receipt.steps[0];
  EXPECT_TRUE(loser.estimated);
  EXPECT_GT(loser.tokens_in, 0) << "it was worked on";
  EXPECT_GT(loser.usd.value_or(0), 0);
  ASSERT_EQ(hedged.turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(hedged.turn.receipt.decisions[0].choice, "hedge");
  EXPECT_THAT(hedged.turn.receipt.decisions[0].reason, HasSubstr("had no token within 20 ms"));
}

TEST(RemoteHedge, ThePromptFirstIsAlone) {
  Hedged hedged({Reply::chat({"ok"})}, {Reply::chat({"no"})}, std::chrono::minutes(1));
  EXPECT_EQ(hedged.ask()->text, "ok");
  EXPECT_THAT(hedged.second.requests(), IsEmpty());
  EXPECT_THAT(hedged.roles(), ElementsAre("answer"));
  EXPECT_THAT(hedged.turn.receipt.decisions, IsEmpty());
}

TEST(RemoteHedge, TheFirstMayStillWin) {
  Hedged hedged({Reply::events().wait(milliseconds(200)).delta("ok").finish().done()},
                {Reply::raw().stall()}, milliseconds(1));
  const auto answer = hedged.ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "ok");
  EXPECT_TRUE(hedged.second.wait_for_closed(1));
  EXPECT_THAT(hedged.roles(), ElementsAre("hedge", "answer"));
}

TEST(RemoteHedge, ASecondThatFailsChangesNothing) {
  Hedged hedged({Reply::events().wait(milliseconds(200)).delta("ok").finish().done()},
                {Reply::json("{}", 500)}, milliseconds(1));
  EXPECT_EQ(hedged.ask()->text, "ok");
}

TEST(RemoteHedge, AFirstThatFailsLateLeavesTheSecond) {
  Hedged hedged({Reply::raw().wait(milliseconds(60)).reset()},
                {Reply::events().wait(milliseconds(150)).delta("ok").finish().done()},
                milliseconds(1));
  EXPECT_EQ(hedged.ask()->text, "ok");
  EXPECT_EQ(hedged.first.requests().size(), 1u);
  EXPECT_EQ(hedged.second.requests().size(), 1u);
}

TEST(RemoteHedge, BothFailing) {
  Hedged hedged({Reply::raw().wait(milliseconds(60)).send("nonsense\r\n\r\n").close()},
                {Reply::json("{}", 500)}, milliseconds(1));
  EXPECT_FALSE(hedged.ask());
}

TEST(RemoteHedge, AWinnerHasNoMoreTimeThanTheFirstHad) {
  FakeUpstream first({Reply::events().stall()});
  FakeUpstream second(
      {Reply::events().delta("o").wait(milliseconds(400)).delta("k").finish().done()});
  Remotely at("", [&](auto& options) {
    options.urls = {{.url = first.url(), .weight = 1e6}, {.url = second.url(), .weight = 1}};
    options.hedge = Hedge{.after = milliseconds(200)};
    options.total_timeout = milliseconds(500);
  });
  Pieces pieces;
  Turn turn("cloud", &pieces);
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("total_timeout"));
}

TEST(RemoteHedge, AWinnerHasNoMoreRetriesThanTheFirstHad) {
  FakeUpstream first({Reply::raw().reset(), Reply::chat({"k"})});
  FakeUpstream second({Reply::events().stall()});
  FakeUpstream third({Reply::events().delta("o").close()});
  Remotely at("", [&](auto& options) {
    options.urls = {{.url = first.url(), .weight = 1e6},
                    {.url = second.url(), .weight = 1e3},
                    {.url = third.url(), .weight = 1e-3}};
    options.hedge = Hedge{.after = milliseconds(20)};
    options.continues = Continuation::prefix;
    options.retries = 1;
    options.first_token_timeout = milliseconds(300);  // where the first one drawn is the second
  });
  Pieces pieces;
  Turn turn("cloud", &pieces);
  EXPECT_FALSE(at.ask(turn)) << "one was tried again already";
  EXPECT_EQ(first.requests().size(), 1u);
  EXPECT_EQ(third.requests().size(), 1u);
}

TEST(RemoteHedge, AStoppedTurnStopsBoth) {
  Hedged hedged({Reply::events().stall()}, {Reply::events().stall()}, milliseconds(1));
  hedged.turn.deadline = Clock::now() + milliseconds(100);
  const auto answer = hedged.ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(hedged.first.wait_for_closed(1));
  EXPECT_TRUE(hedged.second.wait_for_closed(1));
}

TEST(RemoteHedge, ByPercentileOnlyOnceEnoughIsKnown) {
  FakeUpstream first([](const FakeUpstream::Received& request) {
    return request.body.contains("slow") ? Reply::events().stall() : Reply::chat({"ok"});
  });
  FakeUpstream second({Reply::chat({"second"})});
  Remotely at("", [&](auto& options) {
    options.urls = {{.url = first.url(), .weight = 1e6}, {.url = second.url(), .weight = 1}};
    options.hedge = Hedge{.percentile = 99};
  });
  const auto ask = [&](std::string text) {
    Pieces pieces;
    Turn turn("cloud", &pieces);
    const auto answer = at.ask({.messages = {{"user", std::move(text)}}}, turn);
    return answer ? answer->text : answer.error().detail;
  };
  // Unmeasured ones are taken for as fast as the fastest, so the first's weight decides.
  for (int i = 0; i < 30; ++i) ask("quick");
  EXPECT_EQ(ask("slow"), "second");
}

TEST(RemoteHedge, AnswersThatAreNotStreamedHaveNone) {
  Hedged hedged({Reply::chat_whole("ok")}, {Reply::chat_whole("no")}, milliseconds(0));
  Turn turn("cloud");
  EXPECT_EQ(hedged.at.ask(turn)->text, "ok");
  EXPECT_THAT(hedged.second.requests(), IsEmpty());
}

}  // namespace
}  // namespace lichen::model
