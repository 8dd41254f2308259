#include "mechanisms/pipeline/job_list.h"

#include <gtest/gtest.h>

#include <string>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using Jobs = std::vector<std::string>;

TEST(JobList, ALineIsAJobWithoutItsMark) {
  EXPECT_EQ(job_of(" Find the debt. \r"), "Find the debt.");
  for (const char* const line :
       {"- Find it", "* Find it", "\u2022 Find it", "1. Find it", "12) Find it"}) {
    EXPECT_EQ(job_of(line), "Find it") << line;
  }
  EXPECT_EQ(job_of("2020 revenue"), "2020 revenue");
  EXPECT_EQ(job_of("3.5 of what?"), "3.5 of what?");
  for (const std::string& line : {std::string(" "), std::string("Jobs:"), std::string("- "),
                                  std::string(kMostJobBytes + 1, 'x')}) {
    EXPECT_EQ(job_of(line), "") << line;
  }
}

TEST(JobList, FoldedTextIsComparable) {
  EXPECT_EQ(folded(" Find  the\nDebt. "), "find the debt");
  EXPECT_EQ(folded("..."), "");
}

TEST(JobList, MoreIsWhatAnAnswerBeginsWith) {
  EXPECT_EQ(more_jobs(" more: Find the debt."), Jobs{"Find the debt."});
  EXPECT_EQ(more_jobs("More: a\n- b\n\nmore: c"), (Jobs{"a", "b", "c"}));
  EXPECT_EQ(more_jobs("There is more: a"), Jobs());
  EXPECT_EQ(more_jobs("more:"), Jobs());
  EXPECT_TRUE(may_ask_for_more(""));
  EXPECT_TRUE(may_ask_for_more("\n Mo"));
  EXPECT_TRUE(may_ask_for_more("more: x"));
  EXPECT_FALSE(may_ask_for_more("more or less"));
  EXPECT_FALSE(may_ask_for_more("388"));
}

class JobReaderTest : public testing::Test {
 protected:
  bool write(const std::string& text) {
    return run(reader_.write({.text = text, .model = "large", .tokens = 1}));
  }
  void finish(const std::string& text) {
    run([](JobReader& reader, std::string all) -> awaitable<int> {
      co_await reader.finish(std::move(all));
      co_return 0;
    }(reader_, text));
  }
  awaitable<bool> take(std::string job) {
    taken_.push_back(std::move(job));
    co_return takes_;
  }
  Jobs taken_;
  bool takes_ = true;
  JobReader reader_{3, [this](std::string job) { return take(std::move(job)); }};
};

TEST_F(JobReaderTest, TakesAJobAsSoonAsItsLineIsComplete) {
  EXPECT_TRUE(write("1. Find the de"));
  EXPECT_EQ(taken_, Jobs());
  EXPECT_TRUE(write("bt.\n2. find the DEBT.\n\n3. Find"));
  EXPECT_EQ(taken_, Jobs{"Find the debt."}) << "the same job counts once";
  finish("all of it");
  EXPECT_EQ(taken_, (Jobs{"Find the debt.", "Find"}));
}

TEST_F(JobReaderTest, WantsNoMoreThanItMayTake) {
  EXPECT_FALSE(write("a\nb\nc\nd\n"));
  EXPECT_TRUE(reader_.full());
  finish("a\nb\nc\nd\n");
  EXPECT_EQ(taken_, (Jobs{"a", "b", "c"}));
}

TEST_F(JobReaderTest, WantsNoMoreThanIsTaken) {
  takes_ = false;
  EXPECT_FALSE(write("a\nb\n"));
  EXPECT_EQ(taken_, Jobs{"a"});
}

TEST_F(JobReaderTest, ReadsWhatWasNotStreamed) {
  finish("Here they are:\n- a\n- b");
  EXPECT_EQ(taken_, (Jobs{"a", "b"}));
}

TEST_F(JobReaderTest, AnEndlessLineIsNoJob) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(write(std::string(100, 'x')));
  EXPECT_TRUE(write("\nb\n"));
  finish("");
  EXPECT_EQ(taken_, Jobs{"b"});
}

}  // namespace
}  // namespace lichen::mechanisms
