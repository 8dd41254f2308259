// A cache on the bundled pair: large answers, small embeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mechanisms/bundled_models.h"
#include "mechanisms/policy/cache.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

class CachePairTest : public BundledModelsTest {
 protected:
  std::string choice(const std::string& question) {
    Turn turn("plan");
    answer_ = ask(*plan_, asking(question), turn).text;
    return turn.receipt.decisions.empty() ? "" : turn.receipt.decisions.back().choice;
  }

  ScriptedOptions options_;
  AnswererPtr plan_;
  std::string answer_;
};

TEST_F(CachePairTest, OtherWordsOfOneQuestionAreSimilarAndOtherNumbersAreNot) {
  auto semantic = std::make_shared<ScriptedOptions>();
  semantic->answerers["embedder"] = bundled("small");
  semantic->numbers["threshold"] = 0.9;
  options_.nested["semantic"] = semantic;
  options_.answerers["of"] = bundled("large");
  plan_ = *build_cache(options_);
  EXPECT_EQ(choice("What is 12 + 30?"), "miss");
  const std::string first = answer_;
  EXPECT_THAT(first, testing::HasSubstr("42"));
  EXPECT_EQ(choice("What is 12 + 30?"), "hit");
  EXPECT_EQ(answer_, first);
  EXPECT_EQ(choice("What is 12 + 30? Thanks!"), "similar");
  EXPECT_EQ(answer_, first);
  EXPECT_EQ(choice("What is 12 + 31?"), "miss");
  EXPECT_THAT(answer_, testing::HasSubstr("43"));
}

TEST_F(CachePairTest, AnotherVersionOfTheModelAnswersAnew) {
  options_.answerers["of"] = bundled("small");
  options_.operand_models = {bundled("small")};
  plan_ = *build_cache(options_);
  EXPECT_EQ(choice("What is 2 + 3?"), "miss");
  EXPECT_EQ(choice("What is 2 + 3?"), "hit");
}

}  // namespace
}  // namespace lichen::mechanisms
