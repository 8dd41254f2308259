// `refine` by the likelihood of its draft, with a large whose next token is scripted.
#include "mechanisms/pipeline/draft_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "mechanisms/pipeline/refine.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 4,
                                         .train_length = 200,
                                         .embedding = 4};

class DraftCheckTest : public testing::Test {
 protected:
  /// Large would say `says`, byte by byte wherever it stands; of capital letters it is unsure.
  void large_says(const std::string& says) {
    const auto next = [says](std::span<const Token> before) -> Token {
      std::size_t at = 0;
      while (before[before.size() - 1 - at] != '\n') ++at;
      return at < says.size() ? static_cast<unsigned char>(says[at]) : ByteVocabulary::kEnd;
    };
    auto backend = std::make_unique<model::ScriptedBackend>(kLimits, next);
    backend->sureness = [next](std::span<const Token> before) {
      return std::isupper(next(before)) != 0 ? 1.0F : 20.0F;
    };
    backend->on_decode = [this](std::span<const model::BatchToken> batch) {
      passes_ += 1;
      tokens_ += static_cast<int>(batch.size());
      return !broken_ && passes_ <= breaks_after_;
    };
    large_ = model::make_scripted_local_model("large", lane_, std::move(backend));
  }
  Result<Answer> ask(Script draft) {
    small_ = std::make_shared<ScriptedModel>("small", std::vector<Script>{std::move(draft)});
    options_.answerers["draft"] = small_;
    options_.answerers["by"] = large_;
    options_.choices["check"] = "likelihood";
    const auto plan = build_refine(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(request_, turn_));
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }

  bool broken_ = false;  // lane's thread, as those behind it
  int passes_ = 0;
  int breaks_after_ = 1'000;
  int tokens_ = 0;
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> large_;
  std::shared_ptr<ScriptedModel> small_;
  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  Request request_{.messages = {{"user", "?"}}};  // "user: ?\n", 8 tokens
};

TEST_F(DraftCheckTest, ADraftThatLargeWouldWriteStands) {
  large_says("it is six");
  const auto answer = ask({.text = "it is six"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "it is six");
  EXPECT_EQ(decision().choice, "draft");
  EXPECT_EQ(decision().reason, "large agrees with 9 of 9 tokens");
  const Step& step = turn_.receipt.steps.at(1);
  EXPECT_EQ(step.role, "refine");
  EXPECT_EQ(step.tokens_in, 17);
  EXPECT_EQ(step.tokens_out, 0);
  EXPECT_EQ(tokens_, 17) << "each token is read once";
}

TEST_F(DraftCheckTest, LargeGoesOnFromTheFirstTokenInDoubt) {
  large_says("it is seven, I think");
  const auto answer = ask({.text = "it is six, I think"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "it is seven, I think");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(sink_.pieces.front().text, "it is s");
  EXPECT_EQ(sink_.pieces.front().model, "small");
  ASSERT_EQ(answer->authors.size(), 2u);
  EXPECT_EQ(answer->authors[0].bytes, 7);
  EXPECT_EQ(answer->authors[1].model, "large");
  EXPECT_EQ(answer->authors[1].tokens, 13);
  EXPECT_EQ(answer->prompt_tokens, 8);
  EXPECT_EQ(decision().choice, "mended");
  EXPECT_EQ(decision().reason, "large agrees with 7 of 18 tokens");
  EXPECT_EQ(turn_.receipt.steps.at(1).role, "answer");
  EXPECT_EQ(turn_.receipt.steps.at(1).tokens_out, 13);
}

TEST_F(DraftCheckTest, TheEndMayBeInDoubt) {
  large_says("it is six or so");
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is six or so");
  EXPECT_EQ(decision().reason, "large agrees with 9 of 9 tokens, but not to end there");
  EXPECT_EQ(ask({.text = "so it is"})->text, "it is six or so") << "nor is the first to be trusted";
  Answer cut{.text = "it is", .finish = Finish::length};
  const auto checked = run(DraftCheck(large_).check(request_, cut, 0.5, true, turn_));
  EXPECT_TRUE(checked->stands) << "nobody said that it ends there";
}

TEST_F(DraftCheckTest, WhatIsLikelyEnoughStands) {
  large_says("it is Six");
  options_.numbers = {{"accept", 0.003}};
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is six")
      << "an s has 1 of e + 256 where large is unsure";
  options_.numbers = {{"accept", 0.005}};
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is Six");
  options_.numbers = {{"accept", 1}};
  EXPECT_EQ(ask({.text = "it is Six"})->text, "it is Six");
  EXPECT_EQ(turn_.receipt.decisions.back().choice, "draft") << "the likeliest token always stands";
}

TEST_F(DraftCheckTest, LargeMayAnswerFromTheStart) {
  large_says("it is seven");
  options_.choices["mend"] = "answer";
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is seven");
  EXPECT_EQ(decision().choice, "large");
  EXPECT_EQ(turn_.receipt.steps.size(), 3u);
  options_.choices.erase("mend");
  request_.tools = {boost::json::object{}};
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is seven");
  EXPECT_EQ(turn_.receipt.decisions.back().choice, "large")
      << "calls cannot be taken up in the middle";
}

TEST_F(DraftCheckTest, LimitsAreThoseOfTheWhole) {
  large_says("it is seven, I think");
  request_.stop = {"en, I"};
  EXPECT_EQ(ask({.text = "it is six"})->text, "it is sev");
  request_.stop = {};
  request_.max_tokens = 9;
  const auto answer = ask({.text = "it is six"});
  EXPECT_EQ(answer->finish, Finish::length);
  EXPECT_EQ(answer->completion_tokens, 9);
}

TEST_F(DraftCheckTest, LogprobsAreTheirAuthorsOwn) {
  large_says("a b d");
  request_.logprobs = true;
  const auto answer = ask({.text = "a b c", .logprob = -0.5F});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "a b d");
  ASSERT_EQ(answer->tokens.size(), 3u);
  EXPECT_EQ(answer->tokens[1].logprob, -0.5F);
  EXPECT_EQ(answer->tokens[2].text, "d");
  EXPECT_NEAR(answer->tokens[2].logprob, 0, 1e-3);
}

TEST_F(DraftCheckTest, FailsAsTheModelDoes) {
  large_says("it is six");
  broken_ = true;
  const auto answer = ask({.text = "it is six"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("small had drafted 3 tokens"));
  EXPECT_EQ(turn_.receipt.steps.size(), 2u) << "cost is cost";
  options_.answerers["fallback"] =
      std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "6"}});
  EXPECT_EQ(ask({.text = "it is six"})->text, "6");
}

TEST_F(DraftCheckTest, WhatWasShownStays) {
  large_says("it is seven, I think");
  breaks_after_ = 4;  // prompt, draft, and two tokens
  options_.answerers["fallback"] =
      std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "6"}});
  EXPECT_FALSE(ask({.text = "it is six"}));
  EXPECT_EQ(sink_.text(), "it is sev");
}

TEST_F(DraftCheckTest, ADraftThatIsTooLongIsNotTheEnd) {
  large_says("it is six");
  EXPECT_EQ(ask({.text = std::string(300, 'x')})->text, "it is six");
  EXPECT_EQ(decision().choice, "large");
  EXPECT_THAT(decision().reason, HasSubstr("context_overflow"));
}

TEST_F(DraftCheckTest, RefusesWhatCannotBe) {
  large_says("a");
  options_.choices = {{"mend", "edits"}};
  EXPECT_EQ(ask({.text = "a"}).error().code, Errc::bad_config);
  options_.choices = {};
  large_ = nullptr;
  options_.answerers = {
      {"draft", std::make_shared<ScriptedModel>("small")},
      {"by", std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                             ScriptedModel::Traits{.local = false})}};
  options_.choices = {{"check", "likelihood"}};
  EXPECT_EQ(build_refine(options_).error().code, Errc::bad_config);
  options_.choices = {{"mend", "rest"}};
  EXPECT_EQ(build_refine(options_).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace lichen::mechanisms
