#include "ledger/tally.h"

#include <gmock/gmock.h>

#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

using testing::Optional;
using testing::SizeIs;

Step step(const std::string& model, std::int64_t in, std::int64_t out, std::int64_t cached) {
  Step made;
  made.model = model;
  made.tokens_in = in;
  made.tokens_out = out;
  made.tokens_cached = cached;
  return made;
}

TEST(Tally, SumsPerPlanAndPerModel) {
  Receipt small;
  small.plan = "cascade";
  small.total_ms = 10;
  small.steps = {step("small", 100, 20, 50)};
  small.authors = {{.model = "small", .tokens = 20, .bytes = 80}};
  Receipt both = small;
  both.total_ms = 30;
  both.steps.push_back(step("large", 100, 60, 0));
  both.steps.back().usd = 0.5;
  both.steps.back().bytes_sent = 400;
  both.authors = {{.model = "large", .tokens = 60, .bytes = 200}};
  Receipt failed;
  failed.plan = "large";
  failed.error = "upstream";
  failed.total_ms = 9'999;
  failed.steps = {step("large", 5, 0, 0)};

  Tally tally;
  tally.add(small);
  tally.add(both);
  tally.add(failed);
  const Totals totals = tally.take();

  EXPECT_EQ(totals.all.requests, 3);
  EXPECT_EQ(totals.all.failures, 1);
  EXPECT_EQ(totals.all.steps, 4);
  EXPECT_EQ(totals.all.tokens_in, 305);
  EXPECT_EQ(totals.all.tokens_out, 100);
  EXPECT_EQ(totals.all.tokens_cached, 100);
  EXPECT_EQ(totals.all.answer_tokens, 80);
  EXPECT_EQ(totals.all.bytes_sent, 400);
  EXPECT_EQ(totals.all.request_share, 1);
  EXPECT_EQ(totals.all.output_token_share, 1);

  ASSERT_THAT(totals.plans, SizeIs(2));
  EXPECT_EQ(totals.plans[0].name, "cascade");
  EXPECT_EQ(totals.plans[0].requests, 2);
  EXPECT_EQ(totals.plans[0].failures, 0);
  EXPECT_EQ(totals.plans[0].tokens_out, 100);
  EXPECT_EQ(totals.plans[1].name, "large");
  EXPECT_EQ(totals.plans[1].failures, 1);

  ASSERT_THAT(totals.models, SizeIs(2));
  const Usage& large = totals.models[0];
  EXPECT_EQ(large.name, "large");
  EXPECT_EQ(large.requests, 2);
  EXPECT_EQ(large.failures, 1);
  EXPECT_EQ(large.tokens_in, 105);
  EXPECT_DOUBLE_EQ(large.request_share, 2.0 / 3);
  EXPECT_DOUBLE_EQ(large.output_token_share, 0.6);
  EXPECT_DOUBLE_EQ(large.answer_token_share, 0.75);
  const Usage& other = totals.models[1];
  EXPECT_EQ(other.name, "small");
  EXPECT_EQ(other.steps, 2);
  EXPECT_EQ(other.answer_tokens, 20);
}

TEST(Tally, NeverInventsMoneyOrEnergy) {
  Receipt receipt;
  receipt.plan = "default";
  receipt.steps = {step("free", 1, 1, 0), step("priced", 1, 1, 0), step("priced", 1, 1, 0)};
  receipt.steps[1].usd = 0.25;
  receipt.steps[2].joules = 0.0;
  Tally tally;
  tally.add(receipt);
  const Totals totals = tally.take();
  EXPECT_THAT(totals.all.usd, Optional(0.25));
  EXPECT_EQ(totals.all.priced_steps, 1);
  EXPECT_THAT(totals.all.joules, Optional(0.0)) << "measured as nothing is measured";
  EXPECT_EQ(totals.all.measured_steps, 1);
  EXPECT_EQ(totals.models[0].name, "free");
  EXPECT_EQ(totals.models[0].usd, std::nullopt);
  EXPECT_EQ(totals.models[0].joules, std::nullopt);
  EXPECT_EQ(totals.models[1].steps, 2);
  EXPECT_EQ(totals.models[1].requests, 1) << "two steps, one request";
}

TEST(Tally, PercentilesAreNearestRanksOfAnsweredRequests) {
  Tally tally;
  for (int ms = 100; ms >= 1; --ms) {
    Receipt receipt;
    receipt.plan = ms <= 2 ? "few" : "many";
    receipt.total_ms = ms;
    tally.add(receipt);
  }
  Receipt failed;
  failed.plan = "none";
  failed.error = "cancelled";
  failed.total_ms = 1e6;
  tally.add(failed);
  const Totals totals = tally.take();
  EXPECT_THAT(totals.all.p50_ms, Optional(50));
  EXPECT_THAT(totals.all.p95_ms, Optional(95));
  EXPECT_EQ(totals.plans[0].name, "few");
  EXPECT_THAT(totals.plans[0].p50_ms, Optional(1));
  EXPECT_THAT(totals.plans[0].p95_ms, Optional(2));
  EXPECT_EQ(totals.plans[2].p50_ms, std::nullopt);
}

TEST(Tally, StaysAtTheLimitOfAbsurdCounts) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  Receipt receipt;
  receipt.steps = {step("large", kMost, kMost, -kMost), step("large", kMost, 1, -kMost)};
  Tally tally;
  tally.add(receipt);
  const Totals totals = tally.take();
  EXPECT_EQ(totals.all.tokens_in, kMost);
  EXPECT_EQ(totals.all.tokens_out, kMost);
  EXPECT_EQ(totals.all.tokens_cached, std::numeric_limits<std::int64_t>::min());
}

TEST(Tally, OfNothingIsEmpty) {
  Tally tally;
  const Totals totals = tally.take();
  EXPECT_EQ(totals.all.requests, 0);
  EXPECT_EQ(totals.all.request_share, 0);
  EXPECT_EQ(totals.all.p95_ms, std::nullopt);
  EXPECT_EQ(totals.all.usd, std::nullopt);
  EXPECT_TRUE(totals.plans.empty());
  EXPECT_TRUE(totals.models.empty());
}

TEST(Tally, StartsAnewAfterTake) {
  Tally tally;
  tally.add(rich_receipt());
  static_cast<void>(tally.take());
  EXPECT_EQ(tally.take().all.requests, 0);
}

}  // namespace
}  // namespace lichen::ledger
