#include "eval/question_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace lichen::eval {
namespace {

using testing::HasSubstr;

constexpr tasks::SampleOptions kOptions{.split = tasks::Split::calibration, .seed = 3};

TEST(QuestionPairs, HalfOfThemAreTheSame) {
  const auto pairs = generated_pairs(kOptions, 400);
  ASSERT_EQ(pairs.size(), 400U);
  int same = 0;
  std::set<std::string> texts;
  for (const QuestionPair& pair : pairs) {
    EXPECT_NE(pair.a, pair.b);
    same += pair.same ? 1 : 0;
    texts.insert(pair.a);
  }
  EXPECT_NEAR(same, 200, 20);
  EXPECT_GT(texts.size(), 300U) << "few questions are as short as to come twice";
}

TEST(QuestionPairs, OneSeedMakesOneListAndAnotherAnother) {
  const auto lines = [](tasks::SampleOptions options) {
    std::string all;
    for (const QuestionPair& pair : generated_pairs(options, 50)) all += to_json_line(pair) + "\n";
    return all;
  };
  EXPECT_EQ(lines(kOptions), lines(kOptions));
  EXPECT_NE(lines(kOptions), lines({.split = tasks::Split::calibration, .seed = 4}));
  EXPECT_NE(lines(kOptions), lines({.split = tasks::Split::test, .seed = 3}));
}

TEST(QuestionPairs, ARewordedTaskKeepsItsAnswer) {
  const tasks::Family* fact = tasks::find_family("fact");
  const auto one = tasks::reworded_sample(kOptions, *fact, 2, 7, 0);
  const auto again = tasks::reworded_sample(kOptions, *fact, 2, 7, 0);
  EXPECT_EQ(one.prompt, again.prompt);
  std::set<std::string> prompts;
  for (std::uint64_t wording = 0; wording < 10; ++wording) {
    const auto other = tasks::reworded_sample(kOptions, *fact, 2, 7, wording);
    EXPECT_EQ(other.answer, one.answer);
    prompts.insert(other.prompt);
  }
  EXPECT_GT(prompts.size(), 1U);
}

TEST(QuestionPairs, FilesSayWhatIsWrong) {
  const std::string file = testing::TempDir() + "pairs.jsonl";
  const auto loaded = [&](const std::string& text) {
    std::ofstream(file) << text;
    return load_pairs(file);
  };
  const auto good = loaded(to_json_line({.a = "x\"", .b = "y", .same = true}) + "\n\n" +
                           R"({"a":"1","b":"2","same":false})");
  ASSERT_TRUE(good) << good.error().detail;
  ASSERT_EQ(good->pairs.size(), 2U);
  EXPECT_EQ(good->pairs[0].a, "x\"");
  EXPECT_TRUE(good->pairs[0].same);
  EXPECT_FALSE(good->pairs[1].same);
  EXPECT_EQ(good->data_hash.size(), 64U);
  for (const char* wrong :
       {R"({"a":"1","b":"2"})", R"({"a":"1","b":2,"same":true})", R"({"a":"","b":"2","same":true})",
        "x", R"({"a":"1","b":"2","same":true,"c":1})"}) {
    EXPECT_THAT(loaded("\n" + std::string(wrong)).error().detail, HasSubstr("pairs.jsonl:2: "));
  }
  EXPECT_EQ(loaded("\n").error().code, Errc::bad_request);
  EXPECT_EQ(load_pairs("/not/there").error().code, Errc::not_found);
}

}  // namespace
}  // namespace lichen::eval
