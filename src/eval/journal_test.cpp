#include "eval/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

namespace lichen::eval {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("journal_test_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    file_ = folder_ / "deep/er/j.jsonl";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<Journal> open(bool fresh = false) const { return Journal::open(file_, identity_, fresh); }
  std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string& text) const {
    fs::create_directories(file_.parent_path());
    std::ofstream(file_, std::ios::binary) << text;
  }
  /// A journal of that many outcomes.
  void fill(std::size_t count) const {
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().detail;
    for (std::size_t task = 0; task < count; ++task) {
      ASSERT_TRUE(journal->append({.plan = "small", .task = task, .right = task % 2 == 0}));
    }
  }

  fs::path folder_, file_;
  Identity identity_{.fingerprint = "f1", .suite = "test", .plans = {"small", "route"}};
};

TEST_F(JournalTest, GivesBackWhatWasWritten) {
  fill(3);
  {
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().detail;
    ASSERT_EQ(journal->found().size(), 3u);
    EXPECT_EQ(journal->found()[2].task, 2u);
    EXPECT_TRUE(journal->found()[2].right);
    ASSERT_TRUE(journal->append({.plan = "route", .task = 0}));
  }
  EXPECT_EQ(open()->found().size(), 4u);
}

TEST_F(JournalTest, ATornLastLineIsDropped) {
  fill(3);
  const auto whole = content();
  const auto last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = last; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().detail;
    EXPECT_EQ(journal->found().size(), 2u) << size;
    ASSERT_TRUE(journal->append({.plan = "small", .task = 2, .right = true}));
    EXPECT_EQ(content(), whole) << "the line stands alone again";
  }
}

TEST_F(JournalTest, ATornFirstLineIsANewJournal) {
  fill(0);
  const auto header = content();
  for (std::size_t size = 0; size < header.size(); ++size) {
    write(header.substr(0, size));
    const auto journal = open();
    ASSERT_TRUE(journal) << size << ": " << journal.error().detail;
    EXPECT_TRUE(journal->found().empty());
    EXPECT_EQ(content(), header);
  }
}

TEST_F(JournalTest, WhatFollowsADamagedLineIsDropped) {
  fill(1);
  const auto good = content();
  write(good + std::string(20, '\0') + "\n" + good.substr(good.find('\n') + 1));
  EXPECT_EQ(open()->found().size(), 1u);
  EXPECT_EQ(content(), good);
}

TEST_F(JournalTest, OneOutcomeForEachPlanAndTask) {
  fill(2);
  const auto whole = content();
  write(whole + whole.substr(whole.find('\n') + 1));
  EXPECT_EQ(open()->found().size(), 2u);
}

TEST_F(JournalTest, AnotherMeasurementsIsLeftAlone) {
  fill(2);
  const auto before = content();
  identity_.fingerprint = "f2";
  const auto journal = open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, Errc::bad_request);
  EXPECT_THAT(journal.error().detail, HasSubstr("suite \"test\", plans [\"small\",\"route\"]"));
  EXPECT_THAT(journal.error().detail, HasSubstr("--fresh"));
  EXPECT_EQ(content(), before);
  EXPECT_TRUE(open(true)->found().empty()) << "unless it was asked for";
  EXPECT_NE(content(), before);
}

TEST_F(JournalTest, NoOtherFileIsEverTouched) {
  for (const std::string other : {"{\"prompt\": \"q\"}\n", "precious", "\n", "{\"lichen\": 1}\n"}) {
    write(other);
    for (const bool fresh : {false, true}) {
      const auto journal = open(fresh);
      ASSERT_FALSE(journal) << other;
      EXPECT_EQ(journal.error().code, Errc::bad_request);
      EXPECT_EQ(content(), other);
    }
  }
}

TEST_F(JournalTest, FreshStartsOver) {
  fill(2);
  auto journal = open(true);
  ASSERT_TRUE(journal);
  EXPECT_TRUE(journal->found().empty());
  EXPECT_EQ(std::ranges::count(content(), '\n'), 1);
}

TEST_F(JournalTest, OneProcessAtATime) {
  const auto journal = open();
  ASSERT_TRUE(journal);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::overloaded);
}

TEST_F(JournalTest, IsRemovedWhenComplete) {
  auto journal = open();
  ASSERT_TRUE(journal);
  EXPECT_TRUE(fs::exists(file_));
  EXPECT_TRUE(journal->remove());
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(JournalTest, WhereItCannotBe) {
  const auto refused = Journal::open("/proc/nowhere/j.jsonl", identity_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::storage);
  const auto device = Journal::open("/dev/full", identity_);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::bad_request);
}

TEST_F(JournalTest, SurvivesTheDeathOfItsProcess) {
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // no GoogleTest in here
    auto journal = open();
    for (std::size_t task = 0; journal && task < 100; ++task) {
      if (!journal->append({.plan = "small", .task = task})) break;
      if (task == 41) ::kill(::getpid(), SIGKILL);
    }
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  const auto journal = open();
  ASSERT_TRUE(journal) << journal.error().detail << " (its lock must have gone with it)";
  EXPECT_EQ(journal->found().size(), 42u);
}

}  // namespace
}  // namespace lichen::eval
