#include "mechanisms/routing/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class RouteTest : public testing::Test {
 protected:
  AnswererPtr route(double threshold) {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = {{"threshold", threshold}};
    return *build_route(options);
  }
  /// The choice in the receipt, which must be the model that answered.
  std::string choice(double threshold, Request request) {
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = run(route(threshold)->answer(std::move(request), turn));
    EXPECT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(turn.receipt.decisions.size(), 1u);
    const Decision decision = turn.receipt.decisions.at(0);
    EXPECT_EQ(decision.mechanism, "route");
    EXPECT_EQ(answer->text, "by " + decision.choice);
    EXPECT_EQ(sink.text(), answer->text);
    EXPECT_EQ(turn.receipt.steps.size(), 1u);
    EXPECT_EQ(turn.receipt.steps.at(0).model, decision.choice);
    reason_ = decision.reason;
    score_ = decision.score;
    EXPECT_EQ(decision.threshold, 0.5);
    return decision.choice;
  }

  std::shared_ptr<ScriptedModel> small_ =
      std::make_shared<ScriptedModel>("small", std::vector<Script>{{.text = "by small"}});
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "by large"}});
  std::string reason_;
  std::optional<double> score_;
};

TEST_F(RouteTest, TheThresholdIsTheFirstLengthForLarge) {
  EXPECT_EQ(choice(5, {.messages = {{"user", "1234"}}}), "small");
  EXPECT_THAT(reason_, HasSubstr("4 characters, threshold 5"));
  EXPECT_EQ(score_, 1 - 4.0 / 9) << "the longer, the smaller";
  EXPECT_EQ(choice(5, {.messages = {{"user", "12345"}}}), "large");
  EXPECT_EQ(choice(5, {.messages = {{"user", "123456"}}}), "large");
}

TEST_F(RouteTest, WhereLargeIsOfflineSmallAnswers) {
  large_ = std::make_shared<ScriptedModel>(
      "large", std::vector<Script>{{.error = Error{Errc::offline, "not asked"}}});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = run(route(1)->answer({.messages = {{"user", "12345"}}}, turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink.text(), "by small");
  ASSERT_EQ(turn.receipt.decisions.size(), 2u);
  EXPECT_EQ(turn.receipt.decisions[0].choice, "large");
  EXPECT_EQ(turn.receipt.decisions[1].choice, "small");
  EXPECT_EQ(turn.receipt.decisions[1].reason, "large is offline");
}

TEST_F(RouteTest, NobodyAnswersBehindWhatLargeHasShown) {
  large_ = std::make_shared<ScriptedModel>(
      "large",
      std::vector<Script>{
          {.text = "by large", .error = Error{Errc::offline, "not asked"}, .error_after = 1}});
  CollectingSink sink;
  Turn turn("plan", &sink);
  Result<Answer> answer = run(route(1)->answer({.messages = {{"user", "12345"}}}, turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::offline);
  EXPECT_EQ(sink.text().find("small"), std::string::npos) << sink.text();
}

TEST_F(RouteTest, AnyOtherFailureOfLargeIsAFailure) {
  large_ = std::make_shared<ScriptedModel>(
      "large", std::vector<Script>{{.error = Error{Errc::upstream, "503"}}});
  Turn turn("plan");
  EXPECT_EQ(run(route(1)->answer({.messages = {{"user", "12345"}}}, turn)).error().code,
            Errc::upstream);
}

TEST_F(RouteTest, CountsCharactersNotBytes) {
  EXPECT_EQ(choice(5, {.messages = {{"user", "\xC3\xA9\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}}}),
            "small");
}

TEST_F(RouteTest, LooksAtTheLastQuestionOnly) {
  const std::string lengthy(1'000, 'x');
  EXPECT_EQ(choice(5, {.messages = {{"system", lengthy},
                                    {"user", lengthy},
                                    {"assistant", lengthy},
                                    {"user", "hi"},
                                    {"tool", lengthy}}}),
            "small");
  EXPECT_EQ(choice(5, {.messages = {{"user", "hi"}, {"user", lengthy}}}), "large");
}

TEST_F(RouteTest, TakesARawPromptAsAWhole) {
  EXPECT_EQ(choice(5, {.prompt = "1234"}), "small");
  EXPECT_EQ(choice(5, {.prompt = "12345"}), "large");
}

TEST_F(RouteTest, WithoutAUserMessageTheLastOneCounts) {
  EXPECT_EQ(choice(5, {.messages = {{"system", "12345"}}}), "large");
  EXPECT_EQ(choice(5, {}), "small");
}

TEST_F(RouteTest, FailsAsTheChosenOneDoes) {
  small_ = std::make_shared<ScriptedModel>(
      "small", std::vector<Script>{{.error = Error{Errc::overloaded, "later"}}});
  Turn turn("plan");
  Result<Answer> answer = run(route(5)->answer({.messages = {{"user", "hi"}}}, turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::overloaded);
  EXPECT_TRUE(large_->requests().empty());
  EXPECT_EQ(turn.receipt.decisions.size(), 1u);
}

TEST_F(RouteTest, RefusesWhatItCannotBe) {
  ScriptedOptions options;
  options.answerers = {{"small", small_}, {"large", large_}};
  EXPECT_TRUE(build_route(options));
  options.numbers = {{"threshold", 0.5}};
  EXPECT_FALSE(build_route(options));
  options.numbers.clear();
  options.choices = {{"by", "dice"}};
  EXPECT_FALSE(build_route(options));
  options.choices.clear();
  options.answerers.erase("large");
  EXPECT_FALSE(build_route(options));
}

}  // namespace
}  // namespace lichen::mechanisms
