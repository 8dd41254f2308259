// Early stops as a cascade makes them.
#include "mechanisms/routing/early_stop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "mechanisms/routing/cascade.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class EarlyStopTest : public testing::Test {
 protected:
  EarlyStopTest() {
    options_.choices = {{"confidence", "min"}};
    options_.numbers = {{"threshold", -0.5}};
    small({.text = "a draft of many words", .logprob = -0.75F});
  }
  void small(Script script, bool local = true) {
    ScriptedModel::Traits traits;
    traits.local = local;
    small_ =
        std::make_shared<ScriptedModel>("small", std::vector<Script>{std::move(script)}, traits);
  }
  Result<Answer> ask(Turn& turn) {
    options_.answerers = {{"small", small_}, {"large", large_}};
    return run((*build_cascade(options_))->answer({.messages = {{"user", "well?"}}}, turn));
  }
  /// Tokens that small wrote before large answered.
  std::int64_t drafted() {
    Turn turn("plan");
    const Result<Answer> answer = ask(turn);
    EXPECT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "by large");
    decision_ = turn.receipt.decisions.at(0);
    EXPECT_EQ(decision_.choice, "large");
    EXPECT_EQ(turn.receipt.steps.at(0).role, "draft");
    return turn.receipt.steps.at(0).tokens_out;
  }

  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "by large"}});
  ScriptedOptions options_;
  Decision decision_;
};

TEST_F(EarlyStopTest, TheFirstUnsureTokenEndsTheDraft) {
  EXPECT_EQ(drafted(), 1);
  EXPECT_EQ(decision_.reason,
            "least log-prob -0.750 under threshold -0.5, so the draft was stopped");
  EXPECT_FALSE(decision_.score) << "nobody knows what the rest would have been";
  EXPECT_FALSE(decision_.threshold);
}

TEST_F(EarlyStopTest, ItCanBeTurnedOff) {
  options_.flags = {{"early_stop", false}};
  EXPECT_EQ(drafted(), 5);
  EXPECT_EQ(decision_.score, -0.75);
}

TEST_F(EarlyStopTest, ASureAnswerStands) {
  small({.text = "a small answer", .logprob = -0.5F});
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "a small answer");
  EXPECT_EQ(turn.receipt.decisions.at(0).score, -0.5);
}

TEST_F(EarlyStopTest, OnlyWhereFurtherTokensCannotRaiseTheConfidence) {
  options_.choices["confidence"] = "mean";
  EXPECT_EQ(drafted(), 5);
  options_.flags = {{"early_stop", true}};
  options_.answerers = {{"small", small_}, {"large", large_}};
  EXPECT_THAT(build_cascade(options_).error().detail, HasSubstr("mean log-prob may rise again"));
  options_.flags.clear();
  options_.choices["confidence"] = "margin";
  options_.numbers = {{"threshold", 0.5}};
  EXPECT_EQ(drafted(), 1) << "a token without alternatives is not sure";
  options_.numbers["quantile"] = 0.5;
  EXPECT_EQ(drafted(), 5);
}

TEST_F(EarlyStopTest, WhoMayRefuseLaterIsHeardToTheEndUnlessThePlanSaysOtherwise) {
  const Script refusal{.text = "a draft of many words",
                       .logprob = -0.75F,
                       .error = Error{Errc::refused, "no"},
                       .error_after = 3};
  small(refusal, false);
  Turn turn("plan");
  EXPECT_EQ(ask(turn).error().code, Errc::refused);
  options_.flags = {{"early_stop", true}};
  EXPECT_EQ(drafted(), 1);
}

TEST_F(EarlyStopTest, TheEndOfTheTurnIsStillTheEnd) {
  small({.text = "a draft", .logprob = -0.1F, .never_ends = true});
  Turn turn("plan");
  std::jthread other([this, &turn] {
    while (small_->requests().empty()) std::this_thread::yield();
    turn.cancel();
  });
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_TRUE(large_->requests().empty());
}

/// Says one unsure word; by the time that it is stopped the whole turn has ended.
class StopsLate : public Answerer {
 public:
  explicit StopsLate(Turn& turn) : turn_(turn) {}
  awaitable<Result<Answer>> answer(Request, Turn& turn) override {
    Piece piece{.text = "a", .model = "small", .tokens = 1};
    piece.logprobs.push_back({.text = "a", .logprob = -9});
    const Result<void> sent = co_await turn.emit(std::move(piece));
    EXPECT_FALSE(sent);
    turn_.cancel(Errc::deadline_exceeded, "too late");
    co_return std::unexpected(sent.error());
  }

 private:
  Turn& turn_;
};

TEST_F(EarlyStopTest, ATurnThatEndsMeanwhileFailsByItsOwnReason) {
  Turn turn("plan");
  options_.flags = {{"early_stop", true}};
  options_.answerers = {{"small", std::make_shared<StopsLate>(turn)}, {"large", large_}};
  const auto cascade = build_cascade(options_);
  ASSERT_TRUE(cascade) << cascade.error().detail;
  EXPECT_EQ(run((*cascade)->answer({.messages = {{"user", "well?"}}}, turn)).error().code,
            Errc::deadline_exceeded);
  EXPECT_TRUE(large_->requests().empty());
}

TEST_F(EarlyStopTest, LetsAHedgedLargeStream) {
  options_.choices["hedge"] = "always";
  small({.text = "a draft", .logprob = -0.75F, .never_ends = true});
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "by large");
  EXPECT_EQ(turn.receipt.decisions.size(), 1U);
}

}  // namespace
}  // namespace lichen::mechanisms
