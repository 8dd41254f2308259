#include <gmock/gmock.h>

#include "ledger/ledger.h"
#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

using testing::ElementsAre;
using testing::Field;

constexpr auto kAlways = std::chrono::system_clock::time_point::min();

TEST(MemoryLedger, KeepsTheLastReceipts) {
  auto ledger = Ledger::in_memory(2);
  for (const char* id : {"a", "b", "c"}) ledger->record(simple_receipt(id, "p", 1, {"small"}));
  EXPECT_EQ(ledger->find("a").error().code, Errc::not_found);
  EXPECT_TRUE(ledger->find("b"));
  EXPECT_THAT(ledger->recent(10).value(),
              ElementsAre(Field(&Receipt::id, "c"), Field(&Receipt::id, "b")));
  EXPECT_THAT(ledger->recent(1).value(), ElementsAre(Field(&Receipt::id, "c")));
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 2);
  EXPECT_TRUE(ledger->flush());
  EXPECT_TRUE(ledger->health().ok);
  EXPECT_EQ(ledger->health().lost, 0u) << "letting go of old ones is what it is for";
}

TEST(MemoryLedger, IgnoresAnIdItHas) {
  auto ledger = Ledger::in_memory();
  ledger->record(rich_receipt("a"));
  ledger->record(simple_receipt("a", "other", 1, {}));
  expect_same(ledger->find("a").value(), rich_receipt("a"));
  EXPECT_EQ(ledger->recent(9).value().size(), 1u);
}

TEST(MemoryLedger, FeedbackAndWhatIsKept) {
  auto ledger = Ledger::in_memory(2);
  for (const char* id : {"a", "b"}) ledger->record(simple_receipt(id, "p", 1, {"small"}));
  EXPECT_EQ(ledger->rate("z", {.score = 1}).error().code, Errc::not_found);
  EXPECT_EQ(ledger->rate("a", {.score = 2}).error().code, Errc::bad_request);
  ASSERT_TRUE(ledger->rate("a", {.score = 1}));
  ASSERT_TRUE(ledger->rate("b", {.score = 0.5}));
  ASSERT_TRUE(ledger->rate("a", {.score = 0, .comment = "no"}));
  EXPECT_EQ(ledger->find("a")->feedback.value().comment, "no");
  EXPECT_THAT(ledger->ratings(9).value(),
              ElementsAre(Field(&Rating::receipt, "a"), Field(&Rating::receipt, "b")));
  ledger->record(simple_receipt("c", "p", 1, {"small"}));
  EXPECT_THAT(ledger->ratings(9).value(), ElementsAre(Field(&Rating::receipt, "b")));
  EXPECT_EQ(ledger->kept("k").value(), std::nullopt);
  ASSERT_TRUE(ledger->keep("k", "v"));
  EXPECT_EQ(ledger->kept("k").value(), "v");
}

TEST(MemoryLedger, RecordedPromptsComeWithTheirFeedback) {
  auto ledger = Ledger::in_memory();
  Receipt a = simple_receipt("a", "small", 1, {"small"});
  a.prompt = "What is 'x'?\n";
  Receipt b = simple_receipt("b", "large", 1, {"large"});
  b.prompt = "why";
  Receipt c = simple_receipt("c", "large", 1, {"large"});
  for (const Receipt& receipt : {a, b, c}) ledger->record(receipt);
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(ledger->rate(id, {.score = 1}));
  ASSERT_TRUE(ledger->rate("a", {.score = 0.5}));
  EXPECT_THAT(ledger->recorded_prompts().value(),
              ElementsAre(Field(&RecordedPrompt::prompt, "What is 'x'?\n"),
                          Field(&RecordedPrompt::plan, "large")));
  const auto rated = ledger->rated_prompts();
  ASSERT_TRUE(rated) << rated.error().detail;
  ASSERT_EQ(rated->size(), 2u);
  EXPECT_EQ((*rated)[0].prompt, "why");
  EXPECT_EQ((*rated)[1].plan, "small");
  EXPECT_EQ((*rated)[1].prompt, "What is 'x'?\n");
  EXPECT_EQ((*rated)[1].score, 0.5);
}

TEST(MemoryLedger, TotalsOfATimeAndAPlan) {
  auto ledger = Ledger::in_memory();
  ledger->record(simple_receipt("a", "p", 10, {"small"}));
  ledger->record(simple_receipt("b", "p", 20, {"small"}));
  ledger->record(simple_receipt("c", "q", 30, {"large"}));
  const auto since = std::chrono::system_clock::time_point(std::chrono::seconds(20));
  EXPECT_EQ(ledger->totals(since).value().all.requests, 2);
  EXPECT_EQ(ledger->totals(since, "p").value().all.requests, 1);
  EXPECT_EQ(ledger->totals(kAlways, "none").value().all.requests, 0);
}

}  // namespace
}  // namespace lichen::ledger
