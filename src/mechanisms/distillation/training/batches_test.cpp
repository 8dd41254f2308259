#include "mechanisms/distillation/training/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "mechanisms/distillation/training/schedule.h"

namespace lichen::training {
namespace {

using testing::ElementsAre;

std::vector<Example> examples_of_lengths(std::size_t count) {
  std::vector<Example> examples(count);
  for (std::size_t i = 0; i < count; ++i) {
    examples[i].prompt.assign(1 + i * 7 % 30, 1);
    examples[i].answer.assign(1 + i * 3 % 11, 2);
  }
  return examples;
}

TEST(Batches, EachTokenOfAnAnswerIsToBeSaidAfterTheOneBefore) {
  std::vector<Example> examples(2);
  examples[0] = {.prompt = {10, 11}, .answer = {12, 13}, .weight = 0.5F};
  examples[1] = {.prompt = {20}, .answer = {21}};
  const std::size_t members[] = {0, 1};
  const Batch batch = make_batch(examples, members);
  EXPECT_EQ(batch.length, 4);
  EXPECT_THAT(batch.tokens, ElementsAre(10, 11, 12, 13, 20, 21, 0, 0));
  EXPECT_THAT(batch.rows, ElementsAre(1, 2, 4));
  EXPECT_THAT(batch.next, ElementsAre(12, 13, 21));
  EXPECT_THAT(batch.weights, ElementsAre(0.5F, 0.5F, 1));
  EXPECT_EQ(batch.width, 0);
}

TEST(Batches, TargetsArePaddedToTheWidest) {
  std::vector<Example> examples(2);
  examples[0] = {
      .prompt = {1}, .answer = {2}, .width = 1, .logprobs = {-1}, .ids = {2}, .tail = {-0.5F}};
  examples[1] = {.prompt = {1},
                 .answer = {3, 4},
                 .width = 2,
                 .logprobs = {-1, -2, -3, -4},
                 .ids = {3, 5, 4, 6},
                 .tail = {-0.6F, -0.7F}};
  const std::size_t members[] = {0, 1};
  const Batch batch = make_batch(examples, members);
  EXPECT_EQ(batch.width, 2);
  EXPECT_THAT(batch.ids, ElementsAre(2, -1, 3, 5, 4, 6));
  EXPECT_THAT(batch.logprobs, ElementsAre(-1, -100, -1, -2, -3, -4));
  EXPECT_THAT(batch.tail, ElementsAre(-0.5F, -0.6F, -0.7F));
}

TEST(Batches, AnEpochHasEveryExampleOnceInBatchesThatFit) {
  const auto examples = examples_of_lengths(5'000);
  BatchOrder order(examples, 200, 1);
  const std::uint64_t count = order.batches(1);
  std::set<std::size_t> seen;
  std::int64_t tokens = 0, padded = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Batch batch = make_batch(examples, order.next());
    EXPECT_LE(batch.sequences * batch.length, 200);
    padded += batch.sequences * batch.length;
  }
  order.seek(0);
  for (std::uint64_t i = 0; i < count; ++i) {
    for (const std::size_t member : order.next()) {
      EXPECT_TRUE(seen.insert(member).second);
      tokens += examples[member].length();
    }
  }
  EXPECT_EQ(seen.size(), examples.size());
  EXPECT_LT(static_cast<double>(padded), 1.05 * static_cast<double>(tokens));
}

TEST(Batches, TheOrderCanBeTakenUpAnywhereAndIsAnotherOneInEachEpoch) {
  const auto examples = examples_of_lengths(300);
  BatchOrder whole(examples, 150, 3);
  const std::uint64_t epoch = whole.batches(1);
  std::vector<BatchMembers> all;
  for (std::uint64_t i = 0; i < 3 * epoch; ++i) all.push_back(whole.next());
  for (const std::uint64_t from :
       {std::uint64_t{0}, std::uint64_t{5}, epoch - 1, epoch, epoch + 1, 2 * epoch + 3}) {
    BatchOrder resumed(examples, 150, 3);
    resumed.seek(from);
    EXPECT_EQ(resumed.taken(), from);
    for (std::uint64_t i = from; i < 3 * epoch; ++i) EXPECT_EQ(resumed.next(), all[i]);
  }
  EXPECT_NE(all[0], all[epoch]);
  EXPECT_NE(BatchOrder(examples, 150, 4).next(), all[0]);
}

TEST(Schedule, WarmsUpAndFallsToItsEnd) {
  const Schedule schedule{.learning_rate = 2, .final_share = 0.1, .warmup = 0.1};
  EXPECT_EQ(schedule.rate(0), 0);
  EXPECT_NEAR(schedule.rate(0.05), 1, 1e-12);
  EXPECT_NEAR(schedule.rate(0.1), 2, 1e-12);
  EXPECT_NEAR(schedule.rate(0.55), 1.1, 1e-12);
  EXPECT_NEAR(schedule.rate(1), 0.2, 1e-12);
  EXPECT_EQ((Schedule{.learning_rate = 2, .warmup = 0}).rate(0), 2);
}

}  // namespace
}  // namespace lichen::training
