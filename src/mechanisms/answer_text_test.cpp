#include "mechanisms/answer_text.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

TEST(Said, IsTextAndCallsWithoutTheirIds) {
  const boost::json::object function{{"name", "call"}, {"arguments", "{}"}};
  const Answer one{.text = "so ", .tool_calls = {{{"id", "1"}, {"function", function}}}};
  const Answer other{.text = "so ", .tool_calls = {{{"id", "2"}, {"function", function}}}};
  EXPECT_EQ(said(one), said(other));
  EXPECT_EQ(said(one), R"(so {"name":"call","arguments":"{}"})");
}

TEST(FinalAnswer, FollowsItsSign) {
  EXPECT_EQ(final_answer("2 + 3 = 5. The answer is 5."), "5");
  EXPECT_EQ(final_answer("Answer: no. ANSWER IS: \"yes\" "), "yes") << "the last of the first sign";
  EXPECT_EQ(final_answer(" **42** "), "42");
  EXPECT_EQ(final_answer("the answer is"), "");
}

}  // namespace
}  // namespace lichen::mechanisms
