#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "ledger/ledger.h"
#include "ledger/ledger_contract.h"
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

/// A file in a folder of its own.
class FilePlace final : public LedgerPlace {
 public:
  FilePlace() {
    std::string name = testing::TempDir() + "lichen_ledger_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~FilePlace() override { fs::remove_all(folder_); }
  Result<std::unique_ptr<Ledger>> open(LedgerOptions options) override {
    return Ledger::open(folder_ / "ledger.db", options);
  }

 private:
  fs::path folder_;
};

INSTANTIATE_TEST_SUITE_P(File, LedgerContract,
                         testing::Values(+[]() -> std::unique_ptr<LedgerPlace> {
                           return std::make_unique<FilePlace>();
                         }));

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
