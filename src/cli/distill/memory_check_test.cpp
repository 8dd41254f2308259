#include "cli/distill/memory_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

using testing::HasSubstr;

TEST(MemoryCheck, ARunIsAsLargeAsItsLargestBatch) {
  std::vector<training::Example> examples(6);
  for (training::Example& example : examples) {
    example.prompt.assign(6, 1);
    example.answer.assign(2, 2);
  }
  examples[3].answer.assign(94, 2);
  const auto size = run_size(examples, true, {.batch_tokens = 24});
  EXPECT_EQ(size.longest, 100);
  EXPECT_EQ(size.batch_tokens, 100) << "one example is more than a batch may have";
  EXPECT_EQ(size.supervised, 94);
  EXPECT_TRUE(size.keeps_best);
  examples[3] = examples[0];
  EXPECT_EQ(run_size(examples, false, {.batch_tokens = 24}).supervised, 6);
}

TEST(MemoryCheck, SaysWhatWouldHelp) {
  const training::MemoryNeed batch{.weights = 10, .optimizer = 10, .activations = 100};
  EXPECT_TRUE(check_memory(batch, true, 120));
  EXPECT_TRUE(check_memory(batch, true, 0)) << "not known";
  const auto refused = check_memory(batch, true, 119);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::overloaded);
  EXPECT_THAT(refused.error().detail, HasSubstr("--batch-tokens"));
  const training::MemoryNeed weights{.weights = 100, .optimizer = 10, .activations = 10};
  EXPECT_THAT(check_memory(weights, true, 1).error().detail, HasSubstr("LoRA in place of --full"));
  EXPECT_THAT(check_memory(weights, false, 1).error().detail, HasSubstr("--type bf16"));
}

}  // namespace
}  // namespace lichen::cli
