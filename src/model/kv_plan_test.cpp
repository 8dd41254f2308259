#include "model/kv_plan.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

TEST(KvPlanTest, SplitsWhereEnoughSessionsOfFullLengthFit) {
  // The bundled large model: 128 MiB at 8 KiB a token are 16 sessions of 1,024.
  const auto plan = plan_kv({}, 1'024, 8'192, 26 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_EQ(plan->sequences, 16);
  EXPECT_EQ(plan->cells, 16 * 1'024);
}

TEST(KvPlanTest, NeverMoreSequencesThanWanted) {
  const auto plan = plan_kv({.max_sessions = 4}, 1'024, 8'192, 26 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->split);
  EXPECT_EQ(plan->sequences, 4);
}

TEST(KvPlanTest, LongContextsShareAPoolAsLargeAsTheWeights) {
  // A model of 1 B parameters: 32 KiB a token, trained for 131,072.
  const auto plan = plan_kv({.max_sessions = 32}, 131'072, 32'768, 1'300 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_FALSE(plan->split);
  EXPECT_EQ(plan->sequences, 32);
  EXPECT_EQ(plan->cells, 1'300 * 32);
  // With a shorter context the same memory holds enough of them.
  const auto shorter =
      plan_kv({.context = 4'096, .max_sessions = 32}, 131'072, 32'768, 1'300 * kMiB);
  ASSERT_TRUE(shorter.has_value());
  EXPECT_TRUE(shorter->split);
  EXPECT_EQ(shorter->sequences, 10);
}

TEST(KvPlanTest, TheLayoutCanBeSaid) {
  const auto unified = plan_kv({.kv_layout = KvLayout::unified}, 1'024, 8'192, 26 * kMiB);
  ASSERT_TRUE(unified.has_value());
  EXPECT_FALSE(unified->split);
  EXPECT_EQ(unified->cells, 128 * 128);
  const auto split =
      plan_kv({.max_sessions = 32, .kv_layout = KvLayout::split}, 131'072, 32'768, 1'300 * kMiB);
  ASSERT_TRUE(split.has_value());
  EXPECT_TRUE(split->split);
  EXPECT_EQ(split->sequences, 32);
}

TEST(KvPlanTest, TheMemoryGivenIsKept) {
  const auto tight = plan_kv({.context = 1'024, .kv_bytes = 20 * kMiB}, 1'024, 8'192, 26 * kMiB);
  ASSERT_TRUE(tight.has_value());
  EXPECT_FALSE(tight->split);
  EXPECT_EQ(tight->cells, 20 * 128);
  const auto none = plan_kv({.context = 1'024, .kv_bytes = 4 * kMiB}, 1'024, 8'192, 26 * kMiB);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::bad_config);
  EXPECT_NE(none.error().detail.find("4 MiB, which hold 512 tokens"), std::string::npos)
      << none.error().detail;
  EXPECT_NE(none.error().detail.find("needs 8"), std::string::npos) << none.error().detail;
}

TEST(KvPlanTest, AContextThatIsAskedForIsGivenWhateverTheWeights) {
  const auto plan = plan_kv({.context = 65'536}, 131'072, 32'768, 600 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_FALSE(plan->split);
  EXPECT_EQ(plan->cells, 65'536);
  // By default it yields to the memory, down to 4,096.
  EXPECT_EQ(plan_kv({}, 131'072, 32'768, 600 * kMiB)->cells, 600 * 32);
  EXPECT_EQ(plan_kv({}, 131'072, 1 << 20, 600 * kMiB)->cells, 4'096);
}

}  // namespace
}  // namespace lichen::model
