#include "eval/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lichen::eval {
namespace {

using testing::ElementsAre;

Receipt some_receipt() {
  Receipt receipt;
  receipt.first_token_ms = 12.5;
  receipt.steps = {
      {.model = "small", .role = "draft", .tokens_in = 20, .tokens_out = 8, .joules = 0.5},
      {.model = "cloud",
       .role = "answer",
       .tokens_in = 22,
       .tokens_out = 5,
       .bytes_sent = 400,
       .usd = 0.25},
      {.model = "cloud",
       .role = "answer",
       .tokens_in = 1,
       .tokens_out = 1,
       .bytes_sent = 40,
       .usd = 0.5}};
  receipt.decisions = {{"cascade", "large", "unsure", -0.75, -0.5}, {"retry", "again", "429"}};
  receipt.authors = {{"small", 2, 9}, {"cloud", 5, 20}};
  return receipt;
}

TEST(Outcome, IsFilledInFromTheReceipt) {
  Outcome outcome;
  add_receipt(outcome, some_receipt(), {"cloud"});
  EXPECT_EQ(outcome.first_token_ms, 12.5);
  EXPECT_EQ(outcome.tokens_in, 43);
  EXPECT_EQ(outcome.tokens_out, 14);
  EXPECT_EQ(outcome.answer_tokens, 7);
  EXPECT_EQ(outcome.answer_tokens_large, 5);
  EXPECT_TRUE(outcome.asked_large);
  EXPECT_EQ(outcome.usd, 0.75);
  EXPECT_EQ(outcome.usd_large, 0.75);
  EXPECT_EQ(outcome.joules, 0.5);
  EXPECT_EQ(outcome.bytes_sent, 440);
  EXPECT_THAT(outcome.models, ElementsAre("cloud", "small"));
  ASSERT_EQ(outcome.choices.size(), 1u) << "a decision without a score is none of a router";
  EXPECT_EQ(outcome.choices[0].mechanism, "cascade");
  EXPECT_EQ(outcome.choices[0].score, -0.75);
  EXPECT_EQ(outcome.choices[0].threshold, -0.5);
}

TEST(Outcome, WhatWasNotMeasuredStaysUnknown) {
  Outcome outcome;
  Receipt receipt;
  receipt.steps = {{.model = "small", .role = "answer"}};
  add_receipt(outcome, receipt, {"large"});
  EXPECT_FALSE(outcome.asked_large);
  EXPECT_EQ(outcome.usd, std::nullopt);
  EXPECT_EQ(outcome.usd_large, std::nullopt);
  EXPECT_EQ(outcome.joules, std::nullopt);
  EXPECT_EQ(outcome.first_token_ms, std::nullopt);
}

TEST(Outcome, ComesBackFromJsonAsItWas) {
  Outcome outcome{.plan = "a \"plan\"",
                  .task = 17,
                  .right = true,
                  .error = "upstream",
                  .ms = 0.1 + 0.2,
                  .busy_ms = 1.0 / 3};
  add_receipt(outcome, some_receipt(), {"small"});
  const auto text = boost::json::serialize(to_json(outcome));
  const auto back = outcome_from(boost::json::parse(text));
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(to_json(*back), to_json(outcome));
  EXPECT_EQ(back->ms, 0.1 + 0.2) << "to the last bit";
  EXPECT_EQ(back->task, 17u);
  EXPECT_EQ(back->choices.size(), 1u);
  EXPECT_EQ(back->usd_large, std::nullopt);
}

TEST(Outcome, OtherJsonIsRefused) {
  for (const auto* other : {"1", "{}", "[]", R"({"plan": "a"})"}) {
    EXPECT_FALSE(outcome_from(boost::json::parse(other))) << other;
  }
  auto object = to_json(Outcome{.plan = "a"});
  EXPECT_TRUE(outcome_from(object));
  for (const auto* member : {"plan", "task", "right", "ms", "usd", "models", "choices"}) {
    auto without = object;
    without.erase(member);
    EXPECT_FALSE(outcome_from(without)) << member;
    auto wrong = object;
    wrong[member] = boost::json::object{};
    EXPECT_FALSE(outcome_from(wrong)) << member;
  }
  object["task"] = -1;
  EXPECT_FALSE(outcome_from(object));
}

}  // namespace
}  // namespace lichen::eval
