// A handover between models that share no tokens.
#include <gmock/gmock.h>

#include "mechanisms/routing/handover_fixture.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

/// Goes on with `text` wherever its request stands in it; its tokens are words.
std::shared_ptr<ScriptedModel> going_on(const std::string& text,
                                        ScriptedModel::Traits traits = {.local = false}) {
  return std::make_shared<ScriptedModel>(
      "large",
      [text](const Request& request) {
        return Script{.text = text.substr(std::min(text.size(), request.begun.size()))};
      },
      std::move(traits));
}

class HandoverByTextTest : public HandoverTest {
 protected:
  void pair(const std::string& small, std::shared_ptr<ScriptedModel> large) {
    small_ = make_scripted_local_model("small", lane_, saying(small));
    remote_ = large;
    large_ = std::move(large);
  }
  std::shared_ptr<ScriptedModel> remote_;
};

TEST_F(HandoverByTextTest, LargeGoesOnWithTheText) {
  pair("ab Xd ef Gh", going_on("01 cd 67 gh ij kl"));
  EXPECT_EQ(answered(), "ab [cd] ef [gh]") << "small ends it after large's last word";
  const auto requests = remote_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].begun, "ab ");
  EXPECT_EQ(requests[0].max_tokens, 1);
  EXPECT_EQ(requests[1].begun, "ab cd ef ");
  ASSERT_EQ(steps_.size(), 3u) << "a step for each request, and small's";
  EXPECT_EQ(steps_[2].model, "small");
  EXPECT_EQ(steps_[2].tokens_in, kPrompt + 4) << "large's words have four bytes";
  EXPECT_EQ(steps_[2].tokens_out, 7);
  EXPECT_EQ(answer_.completion_tokens, 7 + 2) << "each counts its own tokens";
}

TEST_F(HandoverByTextTest, ALargeThatSaysNothingMoreIsNotAskedForEver) {
  pair("ab Xd ef", std::make_shared<ScriptedModel>(
                       "large", [](const Request&) { return Script{.finish = Finish::length}; },
                       ScriptedModel::Traits{.local = false}));
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->finish, Finish::length);
  EXPECT_EQ(remote_->requests().size(), 1u);
}

TEST_F(HandoverByTextTest, WhatLargesFilterCutsSaysSo) {
  pair("ab Xd ef",
       std::make_shared<ScriptedModel>(
           "large",
           [](const Request&) { return Script{.text = "cd", .finish = Finish::content_filter}; },
           ScriptedModel::Traits{.local = false}));
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "ab cd");
  EXPECT_EQ(answer->finish, Finish::content_filter);
}

TEST_F(HandoverByTextTest, ABegunAnswerIsGoneOnWith) {
  // Small's place is counted from the prompt's end, large's from where its text begins.
  pair("ab Xd ef", going_on("ab cd ef"));
  request_.begun = "ab ";
  Turn turn("plan");
  const Result<Answer> answer = ask(turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "cd ef") << "it does not repeat the beginning";
  ASSERT_EQ(remote_->requests().size(), 1u);
  EXPECT_EQ(remote_->requests()[0].begun, "ab ");
}

TEST_F(HandoverByTextTest, LargeWritesSpansOrTheRest) {
  numbers_ = {{"span", 2}};
  pair("ab Xd ef gh", going_on("01 cd 67 gh ij"));
  EXPECT_EQ(answered(), "ab [cd 67] gh");
  numbers_ = {};
  choices_ = {{"span", "rest"}};
  EXPECT_EQ(answered(), "ab [cd 67 gh ij]");
  EXPECT_EQ(answer_.finish, Finish::stop);
  request_.max_tokens = 5;
  EXPECT_EQ(answered(), "ab [cd 67]");
  EXPECT_EQ(answer_.finish, Finish::length);
}

TEST_F(HandoverByTextTest, LargeHandsBackWhenItsLastTokensAreSmalls) {
  numbers_ = {{"back", 2}};
  pair("ab Xd ef gh", going_on("01 cd 67 gh ij"));
  EXPECT_EQ(answered(), "ab [cd 67 gh]") << "`cd` and `67` are not what small would have written";
  EXPECT_EQ(remote_->requests().size(), 3u);
  numbers_ = {{"back", 1}};
  EXPECT_EQ(answered(), "ab [cd] ef gh") << "the last byte is";
}

TEST_F(HandoverByTextTest, HalfACharacterIsNotHandedOver) {
  pair("h\xC3Xllo Xy", going_on("123456789zz"));
  EXPECT_EQ(answered(), "h\xEF\xBF\xBDXllo [zz]");
  pair("ab Xdefghi", going_on("01 c\xEF\xBF\xBD hi"));
  EXPECT_EQ(answered(), "ab [c]defghi") << "nor kept where large was cut off within it";
  pair("ab Xdefghi", going_on("01 c\xEF\xBF\xBD"));
  EXPECT_EQ(answered(), "ab [c\xEF\xBF\xBD]") << "what ends large's answer stays";
}

TEST_F(HandoverByTextTest, AStopStringOfTwoAuthorsEndsTheAnswer) {
  request_.stop = {"stop"};
  choices_ = {{"span", "rest"}};
  pair("one sXop two", going_on("12345top two"));
  EXPECT_EQ(answered(), "one []");
  EXPECT_EQ(answer_.finish, Finish::stop);
}

TEST_F(HandoverByTextTest, WhatCannotBeHandedOverIsUnsupported) {
  pair("ab", going_on(""));
  request_.tools = {"some tool"};
  EXPECT_EQ(answered(), "unsupported");
  request_ = {.messages = {{"user", "?"}}, .format = {.json_object = true}};
  EXPECT_EQ(answered(), "unsupported");
  request_ = {.messages = {{"user", "?"}}, .sampling = {.logit_bias = {{1, 1.0F}}}};
  EXPECT_EQ(answered(), "unsupported");
}

TEST_F(HandoverByTextTest, LargesErrorIsTheAnswers) {
  pair("ab Xd", std::make_shared<ScriptedModel>(
                    "large", std::vector<Script>{{.error = Error{Errc::upstream, "gone"}}}));
  CollectingSink sink;
  Turn turn("plan", &sink);
  EXPECT_EQ(ask(turn).error().code, Errc::upstream);
  EXPECT_EQ(sink.text(), "ab ");
  EXPECT_EQ(turn.receipt.steps.size(), 2u);
}

TEST_F(HandoverByTextTest, CancellationReachesLarge) {
  pair("ab Xd", std::make_shared<ScriptedModel>(
                    "large", std::vector<Script>{{.text = "x y", .never_ends = true}}));
  choices_ = {{"span", "rest"}};
  Turn turn("plan");
  turn.deadline = Clock::now() + std::chrono::milliseconds(20);
  EXPECT_EQ(ask(turn).error().code, Errc::deadline_exceeded);
}

TEST_F(HandoverByTextTest, ALargeThatCannotGoOnIsRefused) {
  pair("ab", going_on("", {.local = false, .continues = false}));
  const Result<AnswererPtr> built = plan();
  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().detail, HasSubstr("continues: final_message"));
}

TEST_F(HandoverByTextTest, LocalModelsOfTwoLanesSpeakByText) {
  auto other = std::make_shared<model::Lane>("other");
  small_ = make_scripted_local_model("small", lane_, saying("ab Xd ef"));
  large_ = make_scripted_local_model("large", other, saying("1234567890"));
  EXPECT_EQ(answered(), "ab [4]d ef");
  ASSERT_EQ(steps_.size(), 2u);
  large_.reset();
}

}  // namespace
}  // namespace lichen::mechanisms
