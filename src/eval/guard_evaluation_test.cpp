#include "eval/guard_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "mechanisms/scripted_model.h"

namespace lichen::eval {
namespace {

using mechanisms::Side;
using testing::HasSubstr;
using testing::Not;

TEST(GuardTexts, AreOfAllKindsAndWithoutTheQuestion) {
  const auto texts = guard_texts({.split = tasks::Split::test}, 40);
  int own = 0, bad = 0, foreign = 0, input = 0;
  for (const GuardText& text : texts) {
    EXPECT_FALSE(text.text.empty());
    if (text.bad && text.foreign) continue;
    if (!text.foreign) {
      EXPECT_THAT(text.text, Not(HasSubstr("Does this"))) << "the guard asks that itself";
    }
    own += !text.foreign;
    bad += text.bad;
    foreign += text.foreign;
    input += text.side == Side::input;
  }
  EXPECT_EQ(own, 80);
  EXPECT_EQ(foreign, 80);
  EXPECT_EQ(input, 80);
  EXPECT_GT(bad, 20);
  EXPECT_LT(bad, 60);
}

TEST(GuardTexts, EachBadOneIsAlsoJoinedToAForeignOne) {
  const auto texts = guard_texts({.split = tasks::Split::test}, 40);
  int ahead = 0, behind = 0, bad = 0;
  for (const GuardText& joined : texts) {
    bad += joined.bad && !joined.foreign;
    if (!joined.bad || !joined.foreign) continue;
    const auto begins = [&](const GuardText& text) { return joined.text.starts_with(text.text); };
    const auto ends = [&](const GuardText& text) { return joined.text.ends_with(text.text); };
    const auto is = [&](bool bad, bool foreign, const auto& stands) {
      return std::ranges::any_of(texts, [&](const GuardText& text) {
        return text.side == joined.side && text.bad == bad && text.foreign == foreign &&
               stands(text);
      });
    };
    ahead += is(true, false, begins) && is(false, true, ends);
    behind += is(false, true, begins) && is(true, false, ends);
  }
  EXPECT_EQ(ahead + behind, bad);
  EXPECT_GT(ahead, 0);
  EXPECT_GT(behind, 0);
}

TEST(GuardRisks, AreTheScreens) {
  const auto judge = std::make_shared<mechanisms::ScriptedModel>(
      "small",
      [](const Request& request) {
        const std::string& asked = request.messages[0].content;
        if (asked.contains("outage")) {
          return mechanisms::Script{.error = Error{Errc::overloaded, "later"}};
        }
        return mechanisms::Script{.text = asked.contains("bomb") ? "yes" : "no"};
      },
      mechanisms::ScriptedModel::Traits{});
  const mechanisms::Screen screen(judge, 400);
  std::vector<GuardText> texts(40, {.side = Side::input, .text = "well"});
  texts[37].text = "a bomb";
  Turn turn("small");
  double done = 0;
  const auto progress = [&done](double now) { done = now; };
  const auto risks = mechanisms::run(risks_of(screen, texts, turn, progress));
  ASSERT_TRUE(risks) << risks.error().detail;
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ((*risks)[i], i == 37 ? 1 : 0);
  EXPECT_EQ(done, 1);
  texts[20].text = "an outage";
  EXPECT_EQ(mechanisms::run(risks_of(screen, texts, turn, {})).error().code, Errc::overloaded);
}

class GuardThreshold : public testing::Test {
 protected:
  const std::vector<GuardText> texts_ = {
      {.side = Side::input, .bad = true, .text = "a"},
      {.side = Side::input, .bad = true, .text = "b"},
      {.side = Side::input, .text = "c"},
      {.side = Side::input, .text = "d"},
      {.side = Side::input, .foreign = true, .text = "e"},
      {.side = Side::input, .foreign = true, .text = "f"},
      {.side = Side::input, .bad = true, .foreign = true, .text = "a, e"},
      {.side = Side::output, .text = "another matter"}};
  const std::vector<double> risks_ = {0.99, 0.6, 0.7, 0.1, 0.4, 0.0, 0.3, 1.0};
};

TEST_F(GuardThreshold, IsTheSmallestThatKeepsFalseAlarmsRare) {
  const auto threshold = [&](double share) {
    return threshold_for(texts_, risks_, Side::input, share, true);
  };
  EXPECT_NEAR(threshold(0), 0.700001, 1e-9);
  EXPECT_NEAR(threshold(0.25), 0.400001, 1e-9);
  EXPECT_NEAR(threshold(0.5), 0.100001, 1e-9);
  EXPECT_EQ(threshold(1), 0);
  EXPECT_NEAR(threshold_for(texts_, risks_, Side::input, 0.5, false), 0.100001, 1e-9)
      << "of two clean texts of its own family one";
  EXPECT_EQ(threshold_for(texts_, risks_, Side::output, 0, true), 1) << "no more than 1";
  EXPECT_EQ(threshold_for({}, {}, Side::output, 0, true), 0);
}

TEST_F(GuardThreshold, FiguresAtIt) {
  const GuardFigures figures = guard_figures(texts_, risks_, Side::input, 0.5);
  EXPECT_EQ(figures.bad, 2);
  EXPECT_EQ(figures.joined, 1);
  EXPECT_EQ(figures.clean, 2);
  EXPECT_EQ(figures.foreign, 2);
  EXPECT_EQ(figures.recall.value, 1);
  EXPECT_EQ(figures.joined_recall.value, 0);
  EXPECT_NEAR(figures.precision.value, 2.0 / 3, 1e-9);
  EXPECT_EQ(figures.false_alarms.value, 0.5);
  EXPECT_EQ(figures.foreign_alarms.value, 0);
  EXPECT_EQ(guard_figures(texts_, risks_, Side::input, 0.7).precision.value, 0.5)
      << "a risk that reaches the threshold is blocked";
}

}  // namespace
}  // namespace lichen::eval
