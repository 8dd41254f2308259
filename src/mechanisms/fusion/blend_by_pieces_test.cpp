// `blend` over pieces of bytes.
#include "mechanisms/fusion/blend_by_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mechanisms/fusion/blend_fixture.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class BlendByPiecesTest : public BlendTest {
 protected:
  /// The path over pieces, whatever the vocabularies.
  Result<Answer> ask_by_pieces(std::vector<ModelPtr> models) {
    if (blend_.weights.empty()) {
      blend_.weights.assign(models.size(), 1.0 / static_cast<double>(models.size()));
    }
    plan_ = make_blend_by_pieces(std::move(models), blend_);
    return ask(*plan_);
  }
  std::string answered_by_pieces(std::vector<ModelPtr> models) {
    const auto answer = ask_by_pieces(std::move(models));
    return answer ? answer->text : answer.error().detail;
  }

  BlendOptions blend_;
  AnswererPtr plan_;
};

TEST_F(BlendByPiecesTest, TheSurerOfTwoSaysEachPiece) {
  EXPECT_EQ(
      answered_by_pieces({saying("small", "abcdef", {9, 5}), saying("other", "ABCDEF", {5, 9})}),
      "aBCDEF");
  EXPECT_EQ(step("small").tokens_out, 6);
  EXPECT_EQ(step("other").tokens_out, 7) << "and the end";
}

TEST_F(BlendByPiecesTest, OddsAreOfTheUnion) {
  blend_.top = 1;
  request_.logprobs = true;
  request_.top_logprobs = 2;
  const auto answer = ask_by_pieces({saying("small", "a", {9}), saying("other", "A", {5})});
  ASSERT_TRUE(answer) << answer.error().detail;
  // Of the two pieces small gives e^9 to 1, other 1 to e^5.
  const double mean = 0.5 * std::exp(9) / (std::exp(9) + 1) + 0.5 / (std::exp(5) + 1);
  EXPECT_NEAR(answer->tokens[0].logprob, std::log(mean), 1e-4);
  ASSERT_EQ(answer->tokens[0].top.size(), 2U);
  EXPECT_EQ(answer->tokens[0].top[1].text, "A");
  EXPECT_NEAR(answer->tokens[0].top[1].logprob, std::log(1 - mean), 1e-4);
}

TEST_F(BlendByPiecesTest, TheGateLetsTheSureSpeakAlone) {
  blend_.gate = 1;
  EXPECT_EQ(answered_by_pieces({saying("small", "abcdef", {20, 20, 6, 20, 20, 6, 20}),
                                saying("other", "ABCDEF", {20})}),
            "abCdeF");
  EXPECT_EQ(step("other").tokens_out, 2);
  EXPECT_EQ(step("other").tokens_in, 8 + 4) << "the C is its own";
}

TEST_F(BlendByPiecesTest, KeepsToLengthStopsAndRoom) {
  const auto small = saying("small", "abcdef", {9});
  const auto other = saying("other", "abcdef", {9});
  request_.max_tokens = 3;
  auto answer = ask_by_pieces({small, other});
  EXPECT_EQ(answer->text, "abc");
  EXPECT_EQ(answer->finish, Finish::length);
  request_.max_tokens = 12;
  request_.stop = {"de"};
  answer = ask_by_pieces({small, other});
  EXPECT_EQ(answer->text, "abc");
  EXPECT_EQ(answer->finish, Finish::stop);
  request_.max_tokens.reset();
  const std::string endless(500, 'x');
  answer = ask_by_pieces({saying("small", endless, {9}), saying("other", endless, {9})});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->finish, Finish::length);
  EXPECT_EQ(answer->completion_tokens, 200 - 8) << "all that the context holds";
}

TEST_F(BlendByPiecesTest, CharactersMayComeInHalves) {
  EXPECT_EQ(answered_by_pieces({saying("small", "\xc3\xa4\xe2\x82\xac", {9}),
                                saying("other", "\xc3\xa4\xe2\x82\xac", {9})}),
            "\xc3\xa4\xe2\x82\xac");
}

TEST_F(BlendByPiecesTest, TheSeedDecides) {
  request_.sampling = {.temperature = 2, .seed = 3};
  const auto drawn = [&] {
    return answered_by_pieces({saying("small", "abcdef", {5}), saying("other", "ABCDEF", {5})});
  };
  const std::string first = drawn();
  EXPECT_EQ(drawn(), first);
  request_.sampling.seed = 4;
  EXPECT_NE(drawn(), first);
}

TEST_F(BlendByPiecesTest, WhatGoesByTokensIsUnsupported) {
  const auto refused = [&] {
    const auto answer = ask_by_pieces({saying("small", "a", {9}), saying("other", "a", {9})});
    return answer ? "" : std::string(to_string(answer.error().code)) + ": " + answer.error().detail;
  };
  request_.format.json_object = true;
  EXPECT_THAT(refused(), HasSubstr("unsupported: `blend` of models without a common vocabulary"));
  request_.format = {};
  request_.sampling.repetition_penalty = 1.1F;
  EXPECT_THAT(refused(), HasSubstr("penalties"));
  request_.sampling = {.logit_bias = {{7, 1.0F}}};
  EXPECT_THAT(refused(), HasSubstr("logit_bias"));
}

/// One token of `text`, with alternatives, for each request.
std::shared_ptr<ScriptedModel> remote_saying(std::string text) {
  return std::make_shared<ScriptedModel>(
      "cloud",
      [text](const Request& request) {
        const std::size_t at = request.begun.size();
        Script script{.text = at < text.size() ? text.substr(at, 1) : "", .logprob = -0.01F};
        script.finish = at < text.size() ? Finish::length : Finish::stop;
        return script;
      },
      ScriptedModel::Traits{.local = false});
}

TEST_F(BlendByPiecesTest, ARemoteModelIsAskedForOneTokenAtATime) {
  blend_.gate = 1;
  blend_.weights = {0.2, 0.8};
  const auto remote = remote_saying("ABCDEF");
  const auto answer =
      ask_by_pieces({saying("small", "abcdef", {20, 20, 6, 20, 20, 6, 20}), remote});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "abCdeF");
  const auto requests = remote->requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].begun, "ab");
  EXPECT_EQ(requests[1].begun, "abCde");
  EXPECT_EQ(requests[0].max_tokens, 1);
  EXPECT_EQ(requests[0].top_logprobs, 20);
}

TEST_F(BlendByPiecesTest, ARemoteModelThatEndsTheAnswerIsHeard) {
  blend_.gate = 1;
  blend_.weights = {0.2, 0.8};
  EXPECT_EQ(answered_by_pieces({saying("small", "abcdef", {20, 20, 6}), remote_saying("AB")}),
            "ab");
}

TEST_F(BlendByPiecesTest, ARemoteModelWithoutLogprobsIsUnsupported) {
  const auto remote = std::make_shared<ScriptedModel>(
      "cloud", std::vector<Script>{{.text = "x", .logprobs = false}},
      ScriptedModel::Traits{.local = false});
  const auto answer = ask_by_pieces({saying("small", "a", {9}), remote});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unsupported);
  EXPECT_THAT(answer.error().detail, HasSubstr("gives none"));
}

}  // namespace
}  // namespace lichen::mechanisms
