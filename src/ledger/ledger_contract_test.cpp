#include "ledger/ledger_contract.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "ledger/test_keys.h"
#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr auto kAlways = std::chrono::system_clock::time_point::min();

TEST_P(LedgerContract, ReceiptsComeBackExactly) {
  Receipt failed;
  failed.id = "rcpt_failed";
  failed.error = "deadline_exceeded";
  failed.total_ms = 600'000;
  {
    auto ledger = open(patient());
    ledger->record(rich_receipt());
    ledger->record(failed);
    expect_same(ledger->find("rcpt_rich").value(), rich_receipt());  // from memory
    ASSERT_TRUE(ledger->flush());
    expect_same(ledger->find("rcpt_rich").value(), stored(rich_receipt()));  // from the store
  }
  auto ledger = open();
  expect_same(ledger->find("rcpt_rich").value(), stored(rich_receipt()));
  expect_same(ledger->find("rcpt_failed").value(), failed);
}

TEST_P(LedgerContract, AnUnknownIdIsNotFound) {
  auto ledger = open();
  const auto found = ledger->find("rcpt_none");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_THAT(found.error().detail, HasSubstr("rcpt_none"));
}

TEST_P(LedgerContract, FeedbackOutlivesTheRunAndTheLatestCounts) {
  {
    auto ledger = open(patient());
    for (const char* id : {"a", "b", "c"}) ledger->record(simple_receipt(id, "p", 1, {"small"}));
    ASSERT_TRUE(ledger->rate("a", {.score = 1}));  // while it is pending
    ASSERT_TRUE(ledger->rate("c", {.score = 0.5}));
    ASSERT_TRUE(ledger->rate("a", {.score = 0.25, .comment = "'too\nlong'"}));
    EXPECT_EQ(ledger->rate("z", {.score = 1}).error().code, Errc::not_found);
    EXPECT_EQ(ledger->rate("b", {.score = -1}).error().code, Errc::bad_request);
  }
  auto ledger = open();
  const Receipt rated = ledger->find("a").value();
  ASSERT_TRUE(rated.feedback);
  EXPECT_EQ(rated.feedback->score, 0.25);
  EXPECT_EQ(rated.feedback->comment, "'too\nlong'");
  EXPECT_FALSE(ledger->find("b")->feedback);
  EXPECT_EQ(ledger->recent(1)->front().feedback.value().score, 0.5);
  EXPECT_THAT(ledger->ratings(9).value(),
              ElementsAre(Field(&Rating::receipt, "a"), Field(&Rating::receipt, "c")));
  EXPECT_THAT(ledger->ratings(1).value(), ElementsAre(Field(&Rating::score, 0.25)));
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 3);
}

TEST_P(LedgerContract, RecordedPromptsComeWithTheirFeedback) {
  {
    auto ledger = open(patient());
    Receipt a = simple_receipt("a", "small", 1, {"small"});
    a.prompt = "What is 'x'?\n";
    Receipt b = simple_receipt("b", "large", 1, {"large"});
    b.prompt = "why";
    Receipt c = simple_receipt("c", "large", 1, {"large"});
    for (const Receipt& receipt : {a, b, c}) ledger->record(receipt);
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(ledger->rate(id, {.score = 1}));
    ASSERT_TRUE(ledger->rate("a", {.score = 0.5}));
    Receipt unrated = simple_receipt("d", "large", 1, {"large"});
    unrated.prompt = "and d";
    ledger->record(unrated);
  }
  auto ledger = open();
  const auto recorded = ledger->recorded_prompts();
  ASSERT_TRUE(recorded) << recorded.error().detail;
  EXPECT_THAT(*recorded, ElementsAre(Field(&RecordedPrompt::prompt, "What is 'x'?\n"),
                                     Field(&RecordedPrompt::prompt, "why"),
                                     Field(&RecordedPrompt::prompt, "and d")));
  const auto rated = ledger->rated_prompts();
  ASSERT_TRUE(rated) << rated.error().detail;
  ASSERT_EQ(rated->size(), 2u);
  EXPECT_EQ((*rated)[0].prompt, "why");
  EXPECT_EQ((*rated)[1].plan, "small");
  EXPECT_EQ((*rated)[1].prompt, "What is 'x'?\n");
  EXPECT_EQ((*rated)[1].score, 0.5);
  EXPECT_FALSE(ledger->find("a")->prompt) << "receipts do not show them";
}

TEST_P(LedgerContract, WhatIsKeptOutlivesTheRun) {
  {
    auto ledger = open(patient());
    EXPECT_EQ(ledger->kept("k").value(), std::nullopt);
    ASSERT_TRUE(ledger->keep("k", "old"));
    ASSERT_TRUE(ledger->keep("other", ""));
    ASSERT_TRUE(ledger->keep("k", "new"));
  }
  EXPECT_EQ(open()->kept("k").value(), "new");
  EXPECT_EQ(open()->kept("other").value(), "");
}

TEST_P(LedgerContract, TheDestructorWrites) {
  open(patient())->record(rich_receipt());
  EXPECT_TRUE(open()->find("rcpt_rich"));
}

TEST_P(LedgerContract, RecentIsNewestFirstAndSeesWhatIsPending) {
  auto ledger = open(patient());
  for (const char* id : {"a", "b", "c"}) ledger->record(simple_receipt(id, "p", 1, {"small"}));
  ASSERT_TRUE(ledger->flush());
  for (const char* id : {"d", "e"}) ledger->record(simple_receipt(id, "p", 1, {"small"}));
  const auto ids = [&](std::size_t count) {
    std::string text;
    for (const Receipt& receipt : ledger->recent(count).value()) text += receipt.id;
    return text;
  };
  EXPECT_EQ(ids(0), "");
  EXPECT_EQ(ids(1), "e");
  EXPECT_EQ(ids(3), "edc");
  EXPECT_EQ(ids(99), "edcba");
  EXPECT_EQ(ids(std::numeric_limits<std::size_t>::max()), "edcba");
}

TEST_P(LedgerContract, TotalsAreThoseOfTheSameReceiptsInMemory) {
  auto memory = Ledger::in_memory();
  auto ledger = open(patient());
  const std::vector<std::vector<std::string>> models = {
      {"small"}, {"small", "large"}, {"large"}, {}};
  for (int i = 0; i < 60; ++i) {
    if (i == 40) ASSERT_TRUE(ledger->flush());  // the last third stays pending
    Receipt receipt = simple_receipt("rcpt_" + std::to_string(i), i % 3 == 0 ? "p" : "q", i,
                                     models[static_cast<std::size_t>(i) % models.size()]);
    if (i % 10 == 0) receipt.error = "upstream";
    if (i % 4 == 1) receipt.steps.back().usd = 0.5;
    memory->record(receipt);
    ledger->record(receipt);
  }
  const auto same = [](const Usage& a, const Usage& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.requests, b.requests);
    EXPECT_EQ(a.failures, b.failures);
    EXPECT_EQ(a.tokens_out, b.tokens_out);
    EXPECT_EQ(a.answer_tokens, b.answer_tokens);
    EXPECT_EQ(a.usd, b.usd);
    EXPECT_EQ(a.joules, b.joules);
    EXPECT_EQ(a.request_share, b.request_share);
    EXPECT_EQ(a.p50_ms, b.p50_ms);
    EXPECT_EQ(a.p95_ms, b.p95_ms);
  };
  const auto at_25 = std::chrono::system_clock::time_point(25s);
  for (auto since : {kAlways, at_25}) {
    for (std::optional<std::string> plan : {std::optional<std::string>(), {"p"}, {"none"}}) {
      const Totals expected = memory->totals(since, plan).value();
      const Totals totals = ledger->totals(since, plan).value();
      same(totals.all, expected.all);
      ASSERT_EQ(totals.plans.size(), expected.plans.size());
      for (std::size_t i = 0; i < totals.plans.size(); ++i)
        same(totals.plans[i], expected.plans[i]);
      ASSERT_EQ(totals.models.size(), expected.models.size());
      for (std::size_t i = 0; i < totals.models.size(); ++i) {
        same(totals.models[i], expected.models[i]);
      }
    }
  }
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 60);
  EXPECT_EQ(ledger->totals(at_25).value().all.requests, 35);
}

TEST_P(LedgerContract, TotalsOfALargeOneTellHowFarTheyAre) {
  auto ledger = open();
  for (int i = 0; i < 2'500; ++i) {
    ledger->record(simple_receipt(std::to_string(i), i < 500 ? "other" : "p", i, {"m"}));
  }
  ASSERT_TRUE(ledger->flush());
  std::vector<double> heard;
  const auto totals = ledger->totals(kAlways, "p", [&](double done) { heard.push_back(done); });
  EXPECT_EQ(totals.value().all.requests, 2'000);
  EXPECT_THAT(heard, ElementsAre(0.5, 1.0));
}

TEST_P(LedgerContract, AnIdIsRecordedOnce) {
  auto ledger = open();
  ledger->record(rich_receipt("a"));
  ASSERT_TRUE(ledger->flush());
  ledger->record(simple_receipt("a", "other", 1, {"small"}));
  ASSERT_TRUE(ledger->flush());
  expect_same(ledger->find("a").value(), stored(rich_receipt("a")));
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 1);
  EXPECT_EQ(ledger->health().lost, 0u);
}

TEST_P(LedgerContract, AReceiptThatCannotBeStoredIsLostAlone) {
  auto ledger = open(patient());
  Receipt bad = rich_receipt("bad");
  bad.authors.clear();
  bad.steps[1].decode_ms = std::nan("");  // its first step is already in when this is refused
  ledger->record(rich_receipt("a"));
  ledger->record(bad);
  ledger->record(rich_receipt("b"));
  ASSERT_TRUE(ledger->flush());
  EXPECT_EQ(ledger->health().lost, 1u);
  EXPECT_THAT(ledger->health().last_error, HasSubstr("bad"));
  EXPECT_EQ(ledger->find("bad").error().code, Errc::not_found);
  EXPECT_EQ(ledger->totals(kAlways).value().all.steps, 4);
  expect_same(ledger->find("b").value(), stored(rich_receipt("b")));
}

TEST_P(LedgerContract, SeveralProcessesMayShareIt) {
  auto a = open(), b = open();
  std::thread other([&] {
    for (int i = 0; i < 50; ++i) a->record(simple_receipt("a" + std::to_string(i), "p", i, {"m"}));
  });
  for (int i = 0; i < 50; ++i) b->record(simple_receipt("b" + std::to_string(i), "p", i, {"m"}));
  other.join();
  ASSERT_TRUE(a->flush());
  ASSERT_TRUE(b->flush());
  EXPECT_EQ(a->totals(kAlways).value().all.requests, 100);
  EXPECT_TRUE(b->find("a7"));
}

TEST_P(LedgerContract, MayBeUsedFromManyThreads) {
  auto ledger = open();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const std::string id = std::to_string(t) + "_" + std::to_string(i);
        ledger->record(simple_receipt(id, "p", i, {"m"}));
        EXPECT_TRUE(ledger->find(id));
        if (i % 10 == 0) {
          EXPECT_GE(ledger->totals(kAlways).value().all.requests, i + 1);
          EXPECT_TRUE(ledger->recent(3));
          EXPECT_TRUE(ledger->flush());
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 120);
}

TEST_P(LedgerContract, SeveralThatCannotBeStoredTakeNoOtherWithThem) {
  auto ledger = open(patient());
  for (int i = 0; i < 40; ++i) {
    Receipt receipt = rich_receipt("r" + std::to_string(i));
    if (i % 13 == 5) receipt.total_ms = std::nan("");
    ledger->record(receipt);
  }
  ledger->record(rich_receipt("r7"));  // its id is there already
  ASSERT_TRUE(ledger->flush());
  EXPECT_EQ(ledger->health().lost, 3u);
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 37);
  EXPECT_EQ(ledger->totals(kAlways).value().all.steps, 74);
  EXPECT_EQ(ledger->lost(), 3u);
  EXPECT_EQ(open()->lost(), 3u) << "later runs know, too";
}

TEST_P(LedgerContract, KeepsKeys) {
  keeps_keys(*open());
  EXPECT_EQ(open()->keys().value().size(), 2u) << "the next opening finds them";
}

TEST_P(LedgerContract, AddsUpUse) {
  const auto ledger = open(patient());
  adds_up_use(*ledger);
  ASSERT_TRUE(ledger->flush());
  EXPECT_DOUBLE_EQ(ledger->used("key_1", {}).value().usd, 0.75) << "nothing twice";
  EXPECT_EQ(ledger->used("key_1", {}).value().tokens, 30);
}

TEST_P(LedgerContract, LongTextsComeBack) {
  const std::string megabyte(1u << 20, '"');
  {
    auto ledger = open(patient());
    for (int i = 0; i < 12; ++i) {
      Receipt receipt = simple_receipt("r" + std::to_string(i), "p", i, {"m"});
      receipt.prompt = megabyte;
      ledger->record(receipt);
    }
    ASSERT_TRUE(ledger->flush()) << ledger->health().last_error;
    ASSERT_TRUE(ledger->keep("k", megabyte));
  }
  const auto recorded = open()->recorded_prompts();
  ASSERT_TRUE(recorded) << recorded.error().detail;
  EXPECT_THAT(*recorded, testing::SizeIs(12));
  EXPECT_THAT(*recorded, testing::Each(Field(&RecordedPrompt::prompt, megabyte)));
  EXPECT_EQ(open()->kept("k").value(), megabyte);
}

}  // namespace
}  // namespace lichen::ledger
