#include "model/kv_plan.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// As the bundled large model.
constexpr KvModel kBundled{.train_length = 1'024,
                           .key_bytes = 4'096,
                           .value_bytes = 4'096,
                           .weights = 26 * kMiB,
                           .heads = 8};
/// A model of 1 B parameters: 32 KiB a token.
constexpr KvModel kBillion{.train_length = 131'072,
                           .key_bytes = 16'384,
                           .value_bytes = 16'384,
                           .weights = 1'300 * kMiB,
                           .heads = 32};

TEST(KvPlanTest, SplitsWhereEnoughSessionsOfFullLengthFit) {
  // 128 MiB at 8 KiB a token are 16 sessions of 1,024.
  const auto plan = plan_kv({.attention = Attention::flash}, kBundled);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_EQ(plan->sequences, 16);
  EXPECT_EQ(plan->cells, 16 * 1'024);
  EXPECT_EQ(plan->cell_bytes, 8'192);
}

TEST(KvPlanTest, NeverMoreSequencesThanWanted) {
  const auto plan = plan_kv({.max_sessions = 4}, kBundled);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_EQ(plan->sequences, 4);
}

TEST(KvPlanTest, LongContextsShareAPoolAsLargeAsTheWeights) {
  const auto plan = plan_kv({.max_sessions = 32}, kBillion);
  ASSERT_TRUE(plan.has_value());
  EXPECT_FALSE(plan->split);
  EXPECT_EQ(plan->sequences, 32);
  EXPECT_EQ(plan->cells, 1'300 * 32);
  // With a shorter context the same memory holds enough of them.
  const auto shorter = plan_kv({.context = 4'096, .max_sessions = 32}, kBillion);
  ASSERT_TRUE(shorter.has_value());
  EXPECT_TRUE(shorter->split);
  EXPECT_EQ(shorter->sequences, 10);
}

TEST(KvPlanTest, TheLayoutCanBeSaid) {
  const auto unified = plan_kv({.kv_layout = KvLayout::unified}, kBundled);
  ASSERT_TRUE(unified.has_value());
  EXPECT_FALSE(unified->split);
  EXPECT_EQ(unified->cells, 128 * 128);
  const auto split = plan_kv({.max_sessions = 32, .kv_layout = KvLayout::split}, kBillion);
  ASSERT_TRUE(split.has_value());
  EXPECT_TRUE(split->split);
  EXPECT_EQ(split->sequences, 32);
}

TEST(KvPlanTest, TheMemoryGivenIsKept) {
  const auto tight = plan_kv({.context = 1'024, .kv_bytes = 20 * kMiB}, kBundled);
  ASSERT_TRUE(tight.has_value());
  EXPECT_FALSE(tight->split);
  EXPECT_EQ(tight->cells, 20 * 128);
  const auto none = plan_kv({.context = 1'024, .kv_bytes = 4 * kMiB}, kBundled);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::bad_config);
  EXPECT_NE(none.error().detail.find("4 MiB, which hold 512 tokens"), std::string::npos)
      << none.error().detail;
  EXPECT_NE(none.error().detail.find("needs 8"), std::string::npos) << none.error().detail;
}

TEST(KvPlanTest, AContextThatIsAskedForIsGivenWhateverTheWeights) {
  KvModel model = kBillion;
  model.weights = 600 * kMiB;
  const auto plan = plan_kv({.context = 65'536}, model);
  ASSERT_TRUE(plan.has_value());
  EXPECT_FALSE(plan->split);
  EXPECT_EQ(plan->cells, 65'536);
  // By default it yields to the memory, down to 4,096.
  EXPECT_EQ(plan_kv({}, model)->cells, 600 * 32);
  model.key_bytes = model.value_bytes = 1 << 19;
  EXPECT_EQ(plan_kv({}, model)->cells, 4'096);
}

TEST(KvPlanTest, OnACpuSplitCellsAreGoneOverByPlainAttention) {
  const auto plan = plan_kv({}, kBundled);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_TRUE(plan->plain);
  EXPECT_TRUE(plan->f32_keys);
  EXPECT_EQ(plan->cell_bytes, 12'288);
  EXPECT_EQ(plan->sequences, 10);  // in the same memory

  EXPECT_FALSE(plan_kv({.kv_layout = KvLayout::unified}, kBundled)->plain);
  EXPECT_FALSE(plan_kv({.attention = Attention::flash}, kBundled)->plain);
  KvModel other = kBundled;
  other.on_gpu = true;
  EXPECT_FALSE(plan_kv({}, other)->plain);
  other = kBundled;
  other.head_width = 32;
  EXPECT_FALSE(plan_kv({}, other)->plain);
  EXPECT_TRUE(plan_kv({.attention = Attention::plain}, other)->plain);
}

TEST(KvPlanTest, F32KeysYieldToTheMemory) {
  // 8 sessions of 1,024 in F16 fill these 64 MiB.
  const auto plan = plan_kv({.kv_bytes = 64 * kMiB}, kBundled);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_TRUE(plan->plain);
  EXPECT_FALSE(plan->f32_keys);
  EXPECT_EQ(plan->cell_bytes, 8'192);
}

TEST(KvPlanTest, NoPlainAttentionWhoseScoresTakeTooMuchMemory) {
  // 512 tokens x 4,096 cells x 32 heads in F32 are 256 MiB; twice the context is too much.
  const LocalModelOptions options{.context = 4'096, .max_sessions = 4};
  EXPECT_TRUE(plan_kv(options, kBillion)->plain);
  EXPECT_FALSE(plan_kv({.context = 8'192, .max_sessions = 4}, kBillion)->plain);
  EXPECT_TRUE(plan_kv({.context = 8'192, .max_sessions = 4, .batch = 256}, kBillion)->plain);
}

}  // namespace
}  // namespace lichen::model
