#include "eval/recorded_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

using testing::HasSubstr;

class RecordedData : public testing::Test {
 protected:
  void answered(const std::string& plan, const std::string& prompt, double score) {
    Receipt receipt;
    receipt.id = "r" + std::to_string(++count_);
    receipt.plan = plan;
    receipt.prompt = prompt;
    ledger_->record(receipt);
    EXPECT_TRUE(ledger_->rate(receipt.id, {.score = score}));
  }
  Result<RouteData> data(const std::string& small = "small") {
    return recorded_route_data(*ledger_, small, "large", "ledger");
  }

  const std::unique_ptr<ledger::Ledger> ledger_ = ledger::Ledger::in_memory();
  int count_ = 0;
};

TEST_F(RecordedData, JoinsWhatBothHaveAnswered) {
  answered("small", "Why?", 1);
  answered("small", "  why? ", 0.4);  // the latest counts
  answered("large", "why?", 0.5);
  answered("small", "Only small", 1);
  answered("large", "Only large", 1);
  answered("cascade", "why?", 1);
  answered("large", "How?", 0);
  answered("small", "How?", 1);
  answered("large", " ", 1);
  answered("small", " ", 1);
  const auto joined = data();
  ASSERT_TRUE(joined) << joined.error().detail;
  ASSERT_EQ(joined->examples.size(), 2u);
  EXPECT_EQ(joined->examples[0].prompt, "How?");
  EXPECT_TRUE(joined->examples[0].small_right);
  EXPECT_FALSE(joined->examples[0].large_right);
  EXPECT_EQ(joined->examples[1].prompt, "Why?");
  EXPECT_FALSE(joined->examples[1].small_right);
  EXPECT_TRUE(joined->examples[1].large_right);
  EXPECT_EQ(joined->hash, data()->hash);
}

TEST_F(RecordedData, NothingInCommonIsAnError) {
  answered("small", "a", 1);
  EXPECT_EQ(data().error().code, Errc::bad_request);
  EXPECT_THAT(data().error().detail, HasSubstr("1 answers of `small` have, and 0 of `large`"));
  EXPECT_THAT(data("large").error().detail, HasSubstr("two plans"));
}

}  // namespace
}  // namespace lichen::eval
