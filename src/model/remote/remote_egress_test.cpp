// The turn's egress check, asked before any byte leaves.
#include <gmock/gmock.h>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;

/// Refuses bodies that hold a word, from the given attempt on.
class Refusing : public EgressCheck {
 public:
  explicit Refusing(std::string word, int from = 1) : word_(std::move(word)), from_(from) {}

  Result<void> check(std::string_view body, Turn& turn) override {
    ++asked;
    if (asked < from_ || !body.contains(word_)) return {};
    turn.receipt.decisions.push_back({.mechanism = "test", .choice = "refuse", .reason = ""});
    return fail(Errc::refused, "not this");
  }
  int asked = 0;

 private:
  const std::string word_;
  const int from_;
};

TEST(RemoteEgress, ARefusedBodyDoesNotLeave) {
  FakeUpstream upstream({Reply::chat({"ok"})});
  Remotely at(upstream.url());
  const auto check = std::make_shared<Refusing>("12 + 30");
  for (const bool streams : {true, false}) {
    Pieces pieces;
    Turn turn("cloud", streams ? &pieces : nullptr);
    turn.egress = check;
    const auto answer = at.ask(turn);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::refused);
    EXPECT_EQ(answer.error().detail, "not this");
    ASSERT_EQ(turn.receipt.steps.size(), 1u);
    EXPECT_EQ(turn.receipt.steps[0].bytes_sent, 0);
    EXPECT_EQ(turn.receipt.steps[0].tokens_in, 0);
    EXPECT_EQ(turn.receipt.decisions.size(), 1u);
  }
  EXPECT_EQ(check->asked, 2) << "a refusal is not tried again";
  EXPECT_EQ(upstream.connections(), 0);
}

TEST(RemoteEgress, TheModelsNameIsNotTheRequests) {
  FakeUpstream upstream(
      {Reply::chat_whole("ok"), Reply::json(R"({"data":[{"index":0,"embedding":[1]}]})")});
  Remotely at(upstream.url());
  Turn turn("cloud");
  turn.egress = std::make_shared<Refusing>("big-1");
  EXPECT_TRUE(at.ask(turn));
  EXPECT_TRUE(at.run(at.model->embed({"text"}, turn)));
  EXPECT_THAT(upstream.requests().at(0).body, HasSubstr("big-1"));
  EXPECT_FALSE(at.ask({.messages = {{"user", "What is big-1?"}}}, turn));
}

TEST(RemoteEgress, NorDoEmbeddings) {
  FakeUpstream upstream({Reply::json("{}")});
  Remotely at(upstream.url());
  Turn turn("cloud");
  turn.egress = std::make_shared<Refusing>("secret");
  EXPECT_EQ(at.run(at.model->embed({"a secret"}, turn)).error().code, Errc::refused);
  EXPECT_EQ(upstream.connections(), 0);
}

TEST(RemoteEgress, EveryAttemptIsAskedFor) {
  FakeUpstream upstream({Reply::json("{}", 503), Reply::chat({"ok"})});
  Remotely at(upstream.url());
  Turn turn("cloud");
  const auto check = std::make_shared<Refusing>("12 + 30", 2);
  turn.egress = check;
  EXPECT_EQ(at.ask(turn).error().code, Errc::refused);
  EXPECT_EQ(check->asked, 2);
  EXPECT_EQ(upstream.requests().size(), 1u);
}

TEST(RemoteEgress, WhatMayLeaveLeaves) {
  FakeUpstream upstream({Reply::chat({"ok"})});
  Remotely at(upstream.url());
  Turn turn("cloud");
  turn.egress = std::make_shared<Refusing>("secret");
  Pieces pieces;
  const auto child = turn.child(&pieces);
  EXPECT_EQ(child->egress, turn.egress);
  const auto answer = at.ask(*child);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_THAT(upstream.requests().at(0).body, HasSubstr("12 + 30"));
}

}  // namespace
}  // namespace lichen::model
