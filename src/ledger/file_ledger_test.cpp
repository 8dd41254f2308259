#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "ledger/ledger.h"
#include "ledger/schema.h"
#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr auto kAlways = std::chrono::system_clock::time_point::min();

/// Nothing is written or retried by time alone.
LedgerOptions patient() {
  return {.commit_interval = 1h, .retry_first = 1h, .retry_most = 1h, .busy_timeout = 1ms};
}

/// No file of this process can grow past `bytes`: the operating system itself refuses the write.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = old_limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_limit_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_;
  void (*old_handler_)(int);
};

class FileLedgerTest : public LedgerFileTest {
 protected:
  std::unique_ptr<Ledger> open(LedgerOptions options = {}) {
    auto ledger = Ledger::open(file_, options);
    if (!ledger) throw std::runtime_error(ledger.error().detail);
    return std::move(*ledger);
  }
  Error open_error() {
    auto ledger = Ledger::open(file_);
    return ledger ? Error{Errc::internal, "it opened"} : ledger.error();
  }
};

TEST_F(FileLedgerTest, ReceiptsComeBackExactly) {
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
    expect_same(ledger->find("rcpt_rich").value(), rich_receipt());  // from the file
  }
  auto ledger = open();
  expect_same(ledger->find("rcpt_rich").value(), rich_receipt());
  expect_same(ledger->find("rcpt_failed").value(), failed);
}

TEST_F(FileLedgerTest, AnUnknownIdIsNotFound) {
  auto ledger = open();
  const auto found = ledger->find("rcpt_none");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_THAT(found.error().detail, HasSubstr("rcpt_none"));
}

TEST_F(FileLedgerTest, FeedbackOutlivesTheRunAndTheLatestCounts) {
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

TEST_F(FileLedgerTest, RecordedPromptsComeWithTheirFeedback) {
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

TEST_F(FileLedgerTest, WhatIsKeptOutlivesTheRun) {
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

TEST_F(FileLedgerTest, TheDestructorWrites) {
  open(patient())->record(rich_receipt());
  EXPECT_TRUE(open()->find("rcpt_rich"));
}

TEST_F(FileLedgerTest, RecentIsNewestFirstAndSeesWhatIsPending) {
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

TEST_F(FileLedgerTest, TotalsAreThoseOfTheSameReceiptsInMemory) {
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

TEST_F(FileLedgerTest, TotalsOfALargeFileTellHowFarTheyAre) {
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

TEST_F(FileLedgerTest, AnIdIsRecordedOnce) {
  auto ledger = open();
  ledger->record(rich_receipt("a"));
  ASSERT_TRUE(ledger->flush());
  ledger->record(simple_receipt("a", "other", 1, {"small"}));
  ASSERT_TRUE(ledger->flush());
  expect_same(ledger->find("a").value(), rich_receipt("a"));
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 1);
  EXPECT_EQ(ledger->health().lost, 0u);
}

TEST_F(FileLedgerTest, AReceiptThatCannotBeStoredIsLostAlone) {
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
  expect_same(ledger->find("b").value(), rich_receipt("b"));
}

TEST_F(FileLedgerTest, WhatIsFlushedSurvivesACrash) {
  auto ledger = open(patient());
  ledger->record(rich_receipt("flushed"));
  ASSERT_TRUE(ledger->flush());
  ledger->record(rich_receipt("pending"));
  // What the files hold now is what a crash would leave of them.
  fs::create_directory(folder_ / "crashed");
  for (const char* name : {"ledger.db", "ledger.db-wal"}) {
    fs::copy_file(folder_ / name, folder_ / "crashed" / name);
  }
  auto after = Ledger::open(folder_ / "crashed" / "ledger.db").value();
  EXPECT_TRUE(after->find("flushed"));
  EXPECT_FALSE(after->find("pending"));
}

TEST_F(FileLedgerTest, SeveralProcessesMayShareAFile) {
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

TEST_F(FileLedgerTest, AFullDiskLosesNothingUntilTheBound) {
  LedgerOptions options = patient();
  options.memory_bound = 5;
  auto ledger = open(options);
  ledger->record(rich_receipt("before"));
  ASSERT_TRUE(ledger->flush());
  {
    // The log can only grow: nothing has been copied from it to the database yet.
    FileSizeLimit full(fs::file_size(folder_ / "ledger.db-wal"));
    for (const char* id : {"a", "b", "c"}) ledger->record(rich_receipt(id));
    const auto flushed = ledger->flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code, Errc::storage);
    EXPECT_FALSE(ledger->health().ok);
    EXPECT_EQ(ledger->health().pending, 3u);
    EXPECT_THAT(ledger->health().last_error, HasSubstr("I/O error"));

    EXPECT_TRUE(ledger->find("before")) << "reading goes on";
    EXPECT_TRUE(ledger->find("c"));
    EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 4);
    EXPECT_THAT(ledger->recent(2).value(),
                ElementsAre(Field(&Receipt::id, "c"), Field(&Receipt::id, "b")));

    for (const char* id : {"d", "e", "f", "g"}) ledger->record(rich_receipt(id));
    EXPECT_EQ(ledger->health().pending, 5u);
    EXPECT_EQ(ledger->health().lost, 2u);
    EXPECT_FALSE(ledger->flush());
  }
  ASSERT_TRUE(ledger->flush()) << ledger->health().last_error;
  const Health health = ledger->health();
  EXPECT_TRUE(health.ok);
  EXPECT_EQ(health.pending, 0u);
  EXPECT_EQ(health.lost, 2u);
  for (const char* id : {"before", "a", "b", "c", "f", "g"}) {
    expect_same(ledger->find(id).value(), rich_receipt(id));
  }
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 6);
}

TEST_F(FileLedgerTest, WhatWasLostIsKnownToLaterRuns) {
  LedgerOptions options = patient();
  options.memory_bound = 2;
  for (std::uint64_t run = 1; run <= 2; ++run) {
    auto ledger = open(options);
    EXPECT_EQ(ledger->lost(), run == 1 ? 0u : 3u);
    ledger->record(rich_receipt("before" + std::to_string(run)));
    ASSERT_TRUE(ledger->flush());
    {
      FileSizeLimit full(fs::file_size(folder_ / "ledger.db-wal"));
      for (const char* id : {"a", "b", "c", "d", "e"}) ledger->record(rich_receipt(id));
      EXPECT_FALSE(ledger->flush());
      EXPECT_EQ(ledger->lost(), 3u * run) << "also while they cannot be written";
    }
    ASSERT_TRUE(ledger->flush());
    EXPECT_EQ(ledger->lost(), 3u * run);
  }
  EXPECT_EQ(open()->lost(), 6u);
}

TEST_F(FileLedgerTest, OpensOnAFullDiskAndWritesWhenThereIsRoom) {
  open()->record(rich_receipt("before"));
  for (bool existing : {true, false}) {
    if (!existing) fs::remove(file_);
    std::unique_ptr<Ledger> ledger;
    {
      FileSizeLimit full(0);
      auto opened = Ledger::open(file_, patient());
      ASSERT_TRUE(opened) << opened.error().detail;
      ledger = std::move(*opened);
      EXPECT_FALSE(ledger->health().ok);
      ledger->record(rich_receipt("during"));
      EXPECT_FALSE(ledger->flush());
      EXPECT_TRUE(ledger->find("during"));
    }
    ASSERT_TRUE(ledger->flush()) << ledger->health().last_error;
    EXPECT_TRUE(ledger->health().ok);
    EXPECT_TRUE(ledger->find("during"));
    EXPECT_EQ(ledger->find("before").has_value(), existing);
  }
}

TEST_F(FileLedgerTest, WaitsOutAnotherWriter) {
  auto ledger = open(patient());
  Database other = Database::open(file_, 0ms).value();
  ASSERT_TRUE(other.run("BEGIN IMMEDIATE"));
  ledger->record(rich_receipt("a"));
  const auto flushed = ledger->flush();
  ASSERT_FALSE(flushed);
  EXPECT_THAT(flushed.error().detail, HasSubstr("locked"));
  ASSERT_TRUE(other.run("ROLLBACK"));
  EXPECT_TRUE(ledger->flush());
  EXPECT_TRUE(ledger->find("a"));
}

TEST_F(FileLedgerTest, MigratesAnOlderFile) {
  {
    Database old = Database::open(file_, 1s).value();
    ASSERT_TRUE(migrate(old, migrations().first(1)));
    ASSERT_TRUE(old.run(
        "INSERT INTO receipts VALUES (1, 'rcpt_old', 'p', 5000000000, NULL, 7, 'stop', NULL);"
        "INSERT INTO authors VALUES (1, 0, 'small', 3, 9)"));
  }
  auto ledger = open();
  Receipt expected;
  expected.id = "rcpt_old";
  expected.plan = "p";
  expected.started = std::chrono::system_clock::time_point(5s);
  expected.total_ms = 7;
  expected.finish = "stop";
  expected.authors = {{.model = "small", .tokens = 3, .bytes = 9}};
  expect_same(ledger->find("rcpt_old").value(), expected);
  ledger->record(rich_receipt());
  EXPECT_TRUE(ledger->flush());
}

TEST_F(FileLedgerTest, MakesItsFolders) {
  file_ = folder_ / "a" / "b" / "ledger.db";
  open()->record(rich_receipt());
  EXPECT_TRUE(fs::exists(file_));
}

TEST_F(FileLedgerTest, WhatCannotBeALedgerIsBadConfig) {
  const auto expect_bad = [&](const fs::path& path) {
    file_ = path;
    const Error error = open_error();
    EXPECT_EQ(error.code, Errc::bad_config) << error.detail;
    EXPECT_THAT(error.detail, HasSubstr(path.string()));
  };
  expect_bad(folder_);  // a folder
  std::ofstream(folder_ / "text") << std::string(5'000, 'x');
  expect_bad(folder_ / "text");                // no database
  expect_bad(folder_ / "text" / "ledger.db");  // below a file
  {
    open_error();
  }
  {
    Database newer = Database::open(folder_ / "newer.db", 1s).value();
    ASSERT_TRUE(migrate(newer));
    ASSERT_TRUE(newer.run("PRAGMA user_version = 1000"));
  }
  expect_bad(folder_ / "newer.db");
  {
    Database other = Database::open(folder_ / "other.db", 1s).value();
    ASSERT_TRUE(other.run("CREATE TABLE bookmarks (url)"));
  }
  expect_bad(folder_ / "other.db");
}

TEST_F(FileLedgerTest, MayBeUsedFromManyThreads) {
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

TEST(DefaultPath, FollowsTheEnvironment) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const std::string old_state = state ? state : "", old_home = home ? home : "";
  setenv("XDG_STATE_HOME", "/state", 1);
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(default_path().value(), "/state/lichen/ledger.db");
  setenv("XDG_STATE_HOME", "relative", 1);  // the specification says to ignore it
  EXPECT_EQ(default_path().value(), "/home/somebody/.local/state/lichen/ledger.db");
  unsetenv("HOME");
  EXPECT_EQ(default_path().error().code, Errc::bad_config);
  state ? setenv("XDG_STATE_HOME", old_state.c_str(), 1) : unsetenv("XDG_STATE_HOME");
  if (home) setenv("HOME", old_home.c_str(), 1);
}

}  // namespace
}  // namespace lichen::ledger
