#include "mechanisms/routing/shadow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

AnswererPtr says(std::string text) {
  return std::make_shared<ScriptedModel>("m", std::vector<Script>{{.text = std::move(text)}});
}

AnswererPtr fails() {
  return std::make_shared<ScriptedModel>(
      "m", std::vector<Script>{{.error = Error{Errc::upstream, "down"}}});
}

/// Takes every answer with "Paris" in it for right.
AnswererPtr judge() {
  return std::make_shared<ScriptedModel>(
      "judge",
      [](const Request& request) {
        return Script{.text = request.messages.at(0).content.contains("Paris") ? "Yes." : "no"};
      },
      ScriptedModel::Traits{});
}

class ShadowTest : public testing::Test {
 protected:
  /// What the watch learned: "lost", "kept" or "nothing".
  std::string learned(const std::string& small, AnswererPtr large, AnswererPtr by = nullptr) {
    const auto watch = std::make_shared<DriftWatch>(
        DriftOptions{.name = "r", .share = 1, .delta = 0.05, .promised = 0.1});
    Turn turn("plan");
    const auto work =
        shadow({.watch = watch, .large = std::move(large), .judge = std::move(by)},
               {.messages = {{"user", "The capital of France?"}}}, Answer{.text = small});
    result_ = run(work(turn));
    receipt_ = turn.receipt;
    if (watch->state().observed == 0) return "nothing";
    return watch->state().losses == 1 ? "lost" : "kept";
  }

  Result<void> result_;
  Receipt receipt_;
};

TEST_F(ShadowTest, AnswersThatDifferAreLost) {
  EXPECT_EQ(learned("Paris", says("paris ")), "kept");
  EXPECT_EQ(learned("Lyon", says("Paris")), "lost");
  ASSERT_EQ(receipt_.steps.size(), 1u);
  EXPECT_EQ(receipt_.steps[0].role, "shadow");
  EXPECT_EQ(receipt_.decisions.at(0).choice, "lost");
}

TEST_F(ShadowTest, AJudgeSaysWhichIsRight) {
  EXPECT_EQ(learned("It is Paris", says("Paris"), judge()), "kept");
  EXPECT_EQ(learned("Lyon", says("Nice"), judge()), "kept") << "large is wrong too";
  EXPECT_EQ(learned("Paris", says("Nice"), judge()), "kept");
  EXPECT_EQ(learned("Lyon", says("Paris"), judge()), "lost");
  ASSERT_EQ(receipt_.steps.size(), 3u);
  EXPECT_EQ(receipt_.steps[1].role, "judge");
  EXPECT_EQ(learned("Paris", says("Paris"), fails()), "kept") << "a judge is not needed";
}

TEST_F(ShadowTest, WhoFailsTeachesNothing) {
  EXPECT_EQ(learned("Paris", fails()), "nothing");
  EXPECT_EQ(result_.error().code, Errc::upstream);
  EXPECT_EQ(learned("Lyon", says("Paris"), fails()), "nothing");
  EXPECT_EQ(learned("Lyon", says("Paris"), says("perhaps")), "nothing");
  EXPECT_TRUE(result_);
  EXPECT_EQ(receipt_.decisions.at(0).choice, "unknown");
}

}  // namespace
}  // namespace lichen::mechanisms
