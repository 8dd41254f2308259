// A cascade of two local models on one lane: what the race between them does to the lane.
#include <gtest/gtest.h>

#include <algorithm>

#include "mechanisms/routing/cascade.h"
#include "mechanisms/routing/latency.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::ScriptedBackend;

constexpr int kCells = 200'000;
constexpr model::Backend::Limits kLimits{.cells = kCells,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 4,
                                         .train_length = kCells,
                                         .embedding = 4};

class CascadeLaneTest : public testing::Test {
 protected:
  std::shared_ptr<model::LocalModel> local(const std::string& name,
                                           ScriptedBackend::Script script) {
    return model::make_scripted_local_model(
        name, lane_, std::make_unique<ScriptedBackend>(kLimits, std::move(script)));
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
};

TEST_F(CascadeLaneTest, TheLoserLeavesTheLane) {
  // Both scripts run on the lane's thread. Small goes on until large has begun, large without end.
  bool large_writes = false;
  const auto small = local("small", [&](std::span<const Token> before) -> Token {
    if (before.back() == 'k') return ByteVocabulary::kEnd;
    return large_writes ? 'k' : 'o';
  });
  const auto large = local("large", [&](std::span<const Token>) -> Token {
    large_writes = true;
    return 'x';
  });
  ScriptedOptions options;
  options.answerers = {{"small", small}, {"large", large}};
  options.numbers = {{"threshold", -20}};
  options.choices = {{"hedge", "always"}};
  const auto cascade = build_cascade(options);
  ASSERT_TRUE(cascade) << cascade.error().detail;
  CollectingSink sink;
  Turn turn("plan", &sink);
  const Result<Answer> answer = run((*cascade)->answer({.messages = {{"user", "well?"}}}, turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(answer->text.ends_with('k')) << "small's answer stands";
  EXPECT_EQ(sink.text(), answer->text);
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[0].role, "answer");
  EXPECT_EQ(turn.receipt.steps[1].role, "cancelled");
  EXPECT_LT(turn.receipt.steps[1].tokens_out, kCells / 2) << "it would never end by itself";
  EXPECT_EQ(large->stats().sessions, 0) << "its sequence is free again";
  EXPECT_EQ(small->stats().sessions, 0);
}

TEST_F(CascadeLaneTest, NothingIsHedgedOnOneLane) {
  // Small says nothing, so that large answers, until it is shouted at: then it writes for long.
  const auto small = local("small", [](std::span<const Token> before) -> Token {
    constexpr std::ptrdiff_t kLong = 300;
    const auto shouted = std::ranges::find(before, Token{'!'});
    if (shouted == before.end() || before.end() - shouted > kLong) return ByteVocabulary::kEnd;
    return 'o';
  });
  const auto large = local("large", [](std::span<const Token> before) -> Token {
    return before.back() == 'x' ? ByteVocabulary::kEnd : Token{'x'};
  });
  ScriptedOptions options;
  options.answerers = {{"small", small}, {"large", large}};
  options.numbers = {{"threshold", -20}};
  const auto cascade = build_cascade(options);
  ASSERT_TRUE(cascade) << cascade.error().detail;
  for (std::size_t i = 0; i < Latency::kLeast; ++i) {
    Turn turn("plan");
    const auto quick = run((*cascade)->answer({.messages = {{"user", "well?"}}}, turn));
    ASSERT_TRUE(quick) << quick.error().detail;
    ASSERT_EQ(quick->text, "x");
  }
  Turn turn("plan");
  const Result<Answer> answer = run((*cascade)->answer({.messages = {{"user", "well!"}}}, turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(answer->text.starts_with("oo"));
  EXPECT_EQ(turn.receipt.steps.size(), 1u) << "large was not asked";
}

}  // namespace
}  // namespace lichen::mechanisms
