#include "mechanisms/pipeline/joined_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

class JoinedAnswerTest : public testing::Test {
 protected:
  bool write(JoinedAnswer& joined, std::string text, std::string model = "small") {
    return run(joined.write({.text = std::move(text), .model = std::move(model), .tokens = 1}));
  }
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(JoinedAnswerTest, PartsStandOnLinesOfTheirOwn) {
  JoinedAnswer joined({}, turn_);
  joined.next_part();
  for (const char* text : {"\n", " One", " ", "more", ".\n", "\n"})
    EXPECT_TRUE(write(joined, text));
  joined.next_part();  // that says nothing
  EXPECT_TRUE(write(joined, " "));
  joined.next_part();
  EXPECT_TRUE(write(joined, "Two.", "large"));
  const auto answer = run(joined.finish());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "One more.\nTwo.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(answer->completion_tokens, 8);
  ASSERT_EQ(answer->authors.size(), 2u);
  EXPECT_EQ(answer->authors[1].model, "large");
  EXPECT_EQ(answer->authors[1].bytes, 5);
  EXPECT_EQ(answer->finish, Finish::stop);
}

TEST_F(JoinedAnswerTest, AStopStringEndsTheWhole) {
  JoinedAnswer joined({.stop = {"e.\nT"}}, turn_);
  EXPECT_TRUE(write(joined, "One."));
  joined.next_part();
  EXPECT_FALSE(write(joined, "Two."));
  EXPECT_TRUE(joined.ended());
  EXPECT_FALSE(write(joined, "Three."));
  EXPECT_EQ(run(joined.finish())->text, "On");
  EXPECT_EQ(sink_.text(), "On");
}

TEST_F(JoinedAnswerTest, TokensAreCountedOverAllParts) {
  JoinedAnswer joined({.max_tokens = 3}, turn_);
  EXPECT_TRUE(write(joined, "One"));
  EXPECT_TRUE(write(joined, " more."));
  joined.next_part();
  EXPECT_FALSE(write(joined, "Two"));
  const auto answer = run(joined.finish());
  EXPECT_EQ(answer->text, "One more.\nTwo");
  EXPECT_EQ(answer->finish, Finish::length);
}

TEST_F(JoinedAnswerTest, NobodyMayListen) {
  CollectingSink deaf(0);
  Turn turn("plan", &deaf);
  JoinedAnswer joined({}, turn);
  EXPECT_FALSE(write(joined, "One"));
  EXPECT_TRUE(joined.ended());
  EXPECT_EQ(run(joined.finish()).error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
