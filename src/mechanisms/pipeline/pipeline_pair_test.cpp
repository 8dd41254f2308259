// The pipeline mechanisms on the bundled pair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mechanisms/bundled_models.h"
#include "mechanisms/pipeline/expand.h"
#include "mechanisms/pipeline/refine.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PipelinePairTest : public BundledModelsTest {
 protected:
  std::string ask(Answerer& answerer, const std::string& question) {
    constexpr std::int64_t kLongest = 200;
    const Answer answer = BundledModelsTest::ask(answerer, asking(question, kLongest), turn_);
    EXPECT_EQ(sink_.text(), answer.text);
    return answer.text;
  }
  static AnswererPtr says(const std::string& text) {
    return std::make_shared<ScriptedModel>("drafter", std::vector<Script>{{.text = text}});
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(PipelinePairTest, LargeAcceptsARightDraftInOnePass) {
  options_.answerers = {{"draft", says("12 + 30 = 42")}, {"by", bundled("large")}};
  EXPECT_EQ(ask(**build_refine(options_), "What is 12 + 30?"), "12 + 30 = 42");
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "draft");
  EXPECT_EQ(turn_.receipt.steps.at(1).tokens_out, 1);
}

TEST_F(PipelinePairTest, LargeMendsAWrongDraft) {
  options_.answerers = {{"draft", says("12 + 30 = 43")}, {"by", bundled("large")}};
  EXPECT_EQ(ask(**build_refine(options_), "What is 12 + 30?"), "12 + 30 = 42");
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "mended");
}

TEST_F(PipelinePairTest, LargeGoesOnWhereTheDraftIsWrong) {
  options_.answerers = {{"draft", says("12 + 30 = 43")}, {"by", bundled("large")}};
  options_.choices = {{"check", "likelihood"}};
  EXPECT_EQ(ask(**build_refine(options_), "What is 12 + 30?"), "12 + 30 = 42");
  EXPECT_EQ(sink_.pieces.front().model, "drafter");
  EXPECT_THAT(sink_.pieces.front().text, StartsWith("12 + 30"));
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "mended");
}

TEST_F(PipelinePairTest, SmallWritesThePointsOfLargesOutline) {
  options_.answerers = {{"outline", bundled("large")}, {"by", bundled("small")}};
  const std::string notes = "Milo: pet horse; hobby cups; city Rome; age 69.";
  for (const char* begin : {"outline", "line"}) {
    options_.choices = {{"begin", begin}};
    sink_.pieces.clear();
    const std::string text = ask(**build_expand(options_), notes + " Give a portrait of Milo.");
    for (const char* value : {"horse", "cups", "Rome", "69"}) EXPECT_THAT(text, HasSubstr(value));
    EXPECT_EQ(turn_.receipt.decisions.back().reason, "4 points");
  }
}

TEST_F(PipelinePairTest, WhatHasNoPointsIsAnsweredByLarge) {
  options_.answerers = {{"outline", bundled("large")}, {"by", bundled("small")}};
  options_.numbers = {{"accept", 0.99}};
  EXPECT_THAT(ask(**build_expand(options_), "What is 12 + 30?"), HasSubstr("42"));
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "plain");
}

}  // namespace
}  // namespace lichen::mechanisms
