#include "mechanisms/routing/cascade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <thread>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/latency.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;

class CascadeTest : public testing::Test {
 protected:
  void small(Script script) {
    small_ = std::make_shared<ScriptedModel>("small", std::vector<Script>{std::move(script)});
  }
  Result<Answer> ask(Turn& turn, Request request = {.messages = {{"user", "question"}}}) {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = thresholds_;
    options.maps = risk_;
    options.choices = choices_;
    return run((*build_cascade(options))->answer(std::move(request), turn));
  }
  /// Large must answer, and the receipt must say why.
  void expect_large(const std::string& reason) {
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = ask(turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "the large answer");
    EXPECT_EQ(sink.text(), answer->text);
    EXPECT_EQ(sink.pieces.size(), 3u) << "large streams word by word";
    ASSERT_EQ(turn.receipt.decisions.size(), 1u);
    EXPECT_EQ(turn.receipt.decisions[0].mechanism, "cascade");
    EXPECT_EQ(turn.receipt.decisions[0].choice, "large");
    EXPECT_THAT(turn.receipt.decisions[0].reason, HasSubstr(reason));
    score_ = turn.receipt.decisions[0].score;
    EXPECT_EQ(turn.receipt.decisions[0].threshold.has_value(), score_.has_value());
    ASSERT_EQ(turn.receipt.steps.size(), 2u);
    EXPECT_EQ(turn.receipt.steps[0].model, "small");
    EXPECT_EQ(turn.receipt.steps[0].role, "draft");
    EXPECT_EQ(turn.receipt.steps[1].model, "large");
    EXPECT_EQ(turn.receipt.steps[1].role, "answer");
    EXPECT_EQ(answer->completion_tokens, 3);
  }

  std::optional<double> score_;  // of the decision of the last `expect_large`
  std::map<std::string, double, std::less<>> thresholds_ = {{"threshold", -0.5}};
  std::map<std::string, std::vector<double>, std::less<>> risk_;
  std::map<std::string, std::string, std::less<>> choices_;
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "the large answer"}});
};

TEST_F(CascadeTest, WhereLargeIsOfflineTheDraftStands) {
  large_ = std::make_shared<ScriptedModel>(
      "large", std::vector<Script>{{.error = Error{Errc::offline, "not asked"}}});
  for (const std::string hedge : {"never", "always"}) {
    choices_ = {{"hedge", hedge}};
    small({.text = "an unsure answer", .logprob = -2.0f});
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = ask(turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "an unsure answer");
    EXPECT_EQ(sink.text(), answer->text);
    EXPECT_EQ(turn.receipt.decisions.back().choice, "small");
    EXPECT_EQ(turn.receipt.decisions.back().reason, "large is offline");
  }
}

TEST_F(CascadeTest, TheDraftIsNotSentBehindWhatLargeHasShown) {
  large_ = std::make_shared<ScriptedModel>(
      "large",
      std::vector<Script>{
          {.text = "the large", .error = Error{Errc::offline, "not asked"}, .error_after = 1}});
  for (const std::string hedge : {"never", "always"}) {
    choices_ = {{"hedge", hedge}};
    small({.text = "an unsure answer", .logprob = -2.0f});
    CollectingSink sink;
    Turn turn("plan", &sink);
    EXPECT_FALSE(ask(turn)) << hedge;
    EXPECT_EQ(sink.text().find("unsure"), std::string::npos) << sink.text();
  }
}

TEST_F(CascadeTest, ASureAnswerStands) {
  small({.text = "a small answer indeed", .logprob = -0.5f});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "a small answer indeed");
  EXPECT_EQ(answer->completion_tokens, 4);
  ASSERT_EQ(answer->authors.size(), 1u);
  EXPECT_EQ(answer->authors[0].model, "small");
  ASSERT_EQ(sink.pieces.size(), 1u);
  EXPECT_EQ(sink.text(), answer->text);
  EXPECT_EQ(sink.pieces[0].tokens, 4);
  EXPECT_TRUE(large_->requests().empty());
  ASSERT_EQ(turn.receipt.steps.size(), 1u);
  EXPECT_EQ(turn.receipt.steps[0].role, "answer");
  ASSERT_EQ(turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(turn.receipt.decisions[0].choice, "small");
  EXPECT_EQ(turn.receipt.decisions[0].reason, "mean log-prob -0.500 reaches threshold -0.5");
  EXPECT_EQ(turn.receipt.decisions[0].score, -0.5);
  EXPECT_EQ(turn.receipt.decisions[0].threshold, -0.5);
}

TEST_F(CascadeTest, AnUnsureAnswerIsDropped) {
  small({.text = "a small answer", .logprob = -0.75f});
  expect_large("mean log-prob -0.750 under threshold -0.5");
  EXPECT_EQ(score_, -0.75);
}

TEST_F(CascadeTest, TheLeastLogprobMayDecide) {
  choices_ = {{"confidence", "min"}};
  small({.text = "a small answer", .logprob = -0.75f});
  expect_large("least log-prob -0.750 under threshold -0.5");
  choices_ = {{"confidence", "most"}};
  ScriptedOptions options;
  options.answerers = {{"small", small_}, {"large", large_}};
  options.choices = choices_;
  EXPECT_FALSE(build_cascade(options));
}

TEST_F(CascadeTest, ALogprobThatIsNoNumberIsNotSure) {
  small({.text = "a small answer", .logprob = std::nanf("")});
  expect_large("under threshold");
}

TEST_F(CascadeTest, WithoutLogprobsLargeAnswers) {
  small({.text = "a small answer", .logprobs = false});
  expect_large("no log-probabilities");
  EXPECT_EQ(score_, std::nullopt);
}

TEST_F(CascadeTest, AsksForTheAlternativesThatItsConfidenceNeeds) {
  choices_ = {{"confidence", "margin"}};
  thresholds_ = {{"threshold", 0.5}};
  small({.text = "a small answer"});
  Turn turn("plan");
  Request request{.messages = {{"user", "question"}}};
  request.logprobs = true;
  request.top_logprobs = 1;
  const Result<Answer> answer = ask(turn, request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(small_->requests().at(0).top_logprobs, 2);
  EXPECT_EQ(large_->requests().at(0).top_logprobs, 1);
}

TEST_F(CascadeTest, AnAnswerWithoutAlternativesHasNoMargin) {
  choices_ = {{"confidence", "margin"}};
  thresholds_ = {{"threshold", 0.5}};
  small({.text = "a small answer"});
  expect_large("least margin nan under threshold 0.5");
  EXPECT_EQ(score_, std::nullopt);
}

TEST_F(CascadeTest, TheRiskChoosesTheThreshold) {
  const std::string file =
      testing::TempDir() + "cascade_test_" + std::to_string(getpid()) + ".calibration";
  choices_ = {{"confidence", "mean"}};
  PlanCalibration calibration{.valid_for = {{"confidence", "mean"}},
                              .counts = {.n = 100, .grid = {{0.4, 20, 0, 0}, {0.6, 50, 40, 40}}}};
  ASSERT_TRUE(save_plan_calibration(calibration, file));
  choices_["calibration"] = file;
  thresholds_.clear();
  risk_ = {{"risk", {0.05, 0.1}}};
  small({.text = "a small answer", .logprob = -0.5F});
  expect_large("under threshold -0.4");
  small({.text = "a small answer", .logprob = -0.25F});
  Turn turn("plan");
  ASSERT_TRUE(ask(turn));
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "small");

  calibration.counts = {.n = 44, .grid = {{0.4, 20, 0, 0}}};  // too few
  ASSERT_TRUE(save_plan_calibration(calibration, file));
  Turn all_large("plan");
  ASSERT_TRUE(ask(all_large));
  EXPECT_EQ(all_large.receipt.steps.size(), 1u) << "small is not even asked";
  EXPECT_EQ(all_large.receipt.decisions.at(0).reason, "no threshold keeps the risk");
  std::filesystem::remove(file);
}

TEST_F(CascadeTest, AnEmptyAnswerIsNoAnswer) {
  small({});
  expect_large("said nothing");
}

TEST_F(CascadeTest, AnAnswerThatTheModelsLimitCutIsDropped) {
  small({.text = "a small", .finish = Finish::length});
  expect_large("cut short after 2 tokens");
  small({.text = "a small", .finish = Finish::content_filter});
  expect_large("cut short after 2 tokens");
}

TEST_F(CascadeTest, AnAnswerThatTheUsersLimitCutStands) {
  small({.text = "a small answer"});
  Turn turn("plan");
  Request request{.messages = {{"user", "question"}}};
  request.max_tokens = 2;
  Result<Answer> answer = ask(turn, request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "a small");
  EXPECT_EQ(answer->finish, Finish::length);
}

TEST_F(CascadeTest, WhenSmallFailsLargeAnswers) {
  // A time limit of the model's own is not the turn's end.
  for (const Errc code : {Errc::upstream, Errc::context_overflow, Errc::overloaded,
                          Errc::bad_request, Errc::deadline_exceeded}) {
    small({.text = "a b c", .error = Error{code, "as scripted"}, .error_after = 2});
    expect_large("small failed: " + std::string(to_string(code)) + ": as scripted");
  }
}

TEST_F(CascadeTest, ARefusalIsFinal) {
  small({.error = Error{Errc::refused, "no"}});
  Turn turn("plan");
  Result<Answer> answer = ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::refused);
  EXPECT_TRUE(large_->requests().empty());
  EXPECT_EQ(turn.receipt.steps.size(), 1u);
}

TEST_F(CascadeTest, ToolCallsCountAsAnAnswer) {
  small({.text = "call", .finish = Finish::tool_calls, .tool_calls = {{{"id", "1"}}}});
  Turn turn("plan");
  Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->finish, Finish::tool_calls);
  EXPECT_EQ(answer->tool_calls.size(), 1u);
  EXPECT_TRUE(large_->requests().empty());
}

TEST_F(CascadeTest, AsksSmallForLogprobsButDoesNotShowThem) {
  small({.text = "a small answer"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  ASSERT_TRUE(ask(turn));
  EXPECT_TRUE(small_->requests().at(0).logprobs);
  EXPECT_TRUE(sink.pieces.at(0).logprobs.empty());

  small({.text = "a small answer", .logprob = -9});
  ASSERT_TRUE(ask(turn));
  EXPECT_FALSE(large_->requests().at(0).logprobs);
}

TEST_F(CascadeTest, ShowsLogprobsThatWereAskedFor) {
  small({.text = "a small answer"});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Request request{.messages = {{"user", "question"}}};
  request.logprobs = true;
  ASSERT_TRUE(ask(turn, request));
  EXPECT_EQ(sink.pieces.at(0).logprobs.size(), 3u);
}

TEST_F(CascadeTest, NothingOfADraftIsShownBeforeItIsJudged) {
  small({.text = "a small answer", .never_ends = true});
  CollectingSink sink;
  Turn turn("plan", &sink);
  turn.deadline = Clock::now() + milliseconds(2);
  Result<Answer> answer = ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(sink.pieces.empty());
  EXPECT_TRUE(large_->requests().empty());
  EXPECT_EQ(turn.receipt.steps.size(), 1u) << "the draft's cost is in the receipt all the same";
}

TEST_F(CascadeTest, CancellationReachesTheDraft) {
  small({.text = "a", .first_token_after = hours(1)});
  Turn turn("plan");
  std::jthread other([this, &turn] {
    while (small_->requests().empty()) std::this_thread::yield();
    turn.cancel();
  });
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_TRUE(large_->requests().empty());
}

/// Both models at once.
class HedgedCascadeTest : public CascadeTest {
 protected:
  HedgedCascadeTest() { choices_ = {{"hedge", "always"}}; }

  void large(Script script) {
    large_ = std::make_shared<ScriptedModel>("large", std::vector<Script>{std::move(script)});
  }
  static const Step& step_of(const Turn& turn, const std::string& model) {
    static const Step kNone;
    for (const Step& step : turn.receipt.steps) {
      if (step.model == model) return step;
    }
    ADD_FAILURE() << "no step of " << model;
    return kNone;
  }
};

TEST_F(HedgedCascadeTest, AnAcceptedAnswerStopsLarge) {
  small({.text = "a small answer", .first_token_after = milliseconds(5)});
  large({.text = "the large", .never_ends = true});
  CollectingSink sink;
  Turn turn("plan", &sink);
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "a small answer");
  EXPECT_EQ(sink.text(), "a small answer") << "nothing of large was shown";
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "small");
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(step_of(turn, "small").role, "answer");
  EXPECT_EQ(step_of(turn, "large").role, "cancelled");
  EXPECT_EQ(step_of(turn, "large").tokens_out, 2) << "what it cost until then";
}

TEST_F(HedgedCascadeTest, LargesWholeAnswerStopsSmall) {
  small({.text = "a small", .never_ends = true});
  CollectingSink sink;
  Turn turn("plan", &sink);
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "the large answer");
  EXPECT_EQ(sink.text(), answer->text);
  ASSERT_EQ(turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(turn.receipt.decisions[0].choice, "large");
  EXPECT_THAT(turn.receipt.decisions[0].reason, HasSubstr("before small was judged"));
  EXPECT_FALSE(turn.receipt.decisions[0].score);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(step_of(turn, "small").role, "draft");
  EXPECT_EQ(step_of(turn, "small").tokens_out, 2);
  EXPECT_EQ(step_of(turn, "large").role, "answer");
}

TEST_F(HedgedCascadeTest, ARejectedDraftLetsLargeStreamOn) {
  small({.text = "a small", .logprob = -9, .first_token_after = milliseconds(2)});
  large({.text = "the large answer", .between_tokens = milliseconds(2)});
  CollectingSink sink;
  Turn turn("plan", &sink);
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink.text(), "the large answer");
  EXPECT_EQ(turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "large");
  EXPECT_EQ(turn.receipt.authors.at(0).tokens, 3);
  EXPECT_TRUE(turn.receipt.first_token_ms);
  EXPECT_EQ(step_of(turn, "small").role, "draft");
}

TEST_F(HedgedCascadeTest, WhenLargeFailsSmallMayStillStand) {
  small({.text = "a small answer", .first_token_after = milliseconds(2)});
  large({.error = Error{Errc::upstream, "down"}});
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "a small answer");
}

TEST_F(HedgedCascadeTest, WhenBothFailTheErrorIsLarges) {
  small({.error = Error{Errc::overloaded, "busy"}});
  large({.error = Error{Errc::upstream, "down"}});
  Turn turn("plan");
  EXPECT_EQ(ask(turn).error().code, Errc::upstream);
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
}

TEST_F(HedgedCascadeTest, ARefusalOfSmallStopsLarge) {
  small({.error = Error{Errc::refused, "no"}});
  large({.text = "the large", .never_ends = true});
  CollectingSink sink;
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::refused);
  EXPECT_TRUE(sink.pieces.empty());
}

TEST_F(HedgedCascadeTest, TheEndOfTheTurnStopsBoth) {
  small({.text = "a", .never_ends = true});
  large({.text = "b", .never_ends = true});
  Turn turn("plan");
  std::jthread other([this, &turn] {
    while (small_->requests().empty() || large_->requests().empty()) std::this_thread::yield();
    turn.cancel();
  });
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
}

TEST_F(HedgedCascadeTest, FailsWhenNobodyListensToLarge) {
  small({.text = "a small", .logprob = -9});
  large({.text = "the large answer", .between_tokens = milliseconds(1)});
  CollectingSink sink(0);
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
}

/// One cascade that has learned how long its operands take.
class TimedCascadeTest : public CascadeTest {
 protected:
  /// Small needs an hour or none, by the request; it is never sure, so large answers.
  TimedCascadeTest() {
    small_ = std::make_shared<ScriptedModel>(
        "small",
        [](const Request& request) {
          const bool slow = request.messages.back().content == "slow";
          return Script{.text = "a small",
                        .logprob = -9,
                        .first_token_after = slow ? milliseconds(hours(1)) : milliseconds(0)};
        },
        ScriptedModel::Traits{});
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = thresholds_;
    cascade_ = *build_cascade(options);
  }
  Result<Answer> ask(const std::string& question, Turn& turn) {
    return run(cascade_->answer({.messages = {{"user", question}}}, turn));
  }
  void learn() {
    for (std::size_t i = 0; i < Latency::kLeast; ++i) {
      Turn turn("plan");
      ASSERT_TRUE(ask("quick", turn));
    }
  }

  AnswererPtr cascade_;
};

TEST_F(TimedCascadeTest, LargeBeginsBesideADraftThatTakesTooLong) {
  learn();
  Turn turn("plan");
  const Result<Answer> answer = ask("slow", turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "the large answer");
  EXPECT_EQ(turn.receipt.steps.size(), 2u) << "small was stopped";
}

TEST_F(TimedCascadeTest, LargeIsAskedAtOnceWhereBothDoNotFitTheDeadline) {
  learn();
  Turn turn("plan");
  turn.deadline = Clock::now();  // nothing fits
  EXPECT_EQ(ask("quick", turn).error().code, Errc::deadline_exceeded);
  EXPECT_EQ(small_->requests().size(), Latency::kLeast) << "small was not asked again";
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("are left"));
}

TEST_F(TimedCascadeTest, NothingIsHedgedBeforeTheTimesAreKnown) {
  Turn turn("plan");
  turn.deadline = Clock::now() + milliseconds(2);
  EXPECT_EQ(ask("slow", turn).error().code, Errc::deadline_exceeded);
  EXPECT_TRUE(large_->requests().empty());
}

TEST_F(CascadeTest, FailsWhenNobodyListens) {
  small({.text = "a small answer"});
  CollectingSink sink(0);
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::cancelled);
  EXPECT_EQ(turn.receipt.steps.size(), 1u);
}

TEST_F(CascadeTest, RefusesAThresholdThatIsNoLogProbability) {
  ScriptedOptions options;
  small({});
  options.answerers = {{"small", small_}, {"large", large_}};
  for (const double threshold : {0.5, -21.0, std::nan("")}) {
    options.numbers = {{"threshold", threshold}};
    EXPECT_FALSE(build_cascade(options)) << threshold;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
