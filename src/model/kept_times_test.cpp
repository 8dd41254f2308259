#include "model/kept_times.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace lichen::model {
namespace {

namespace fs = std::filesystem;

class KeptTimesTest : public testing::Test {
 protected:
  ~KeptTimesTest() override { fs::remove_all(folder_.parent_path()); }

  KeptTimes kept(std::string subject = "a model on a machine") const {
    return {folder_, std::move(subject)};
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) files.push_back(entry.path());
    return files;
  }
  static std::string content(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// The only file, with something in it replaced.
  void edit(const std::string& from, const std::string& to) const {
    std::string text = content(files().front());
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " is not in " << text;
    std::ofstream(files().front()) << text.replace(at, from.size(), to);
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("kept_times_test_" + std::to_string(getpid())) / "passes";
  const MeasuredPasses measured_{.steps = {.passes = {{1, 1.25, 2}, {2, 1.5, 1}, {4, 3, 2}}},
                                 .behind = 96,
                                 .threads = {{1e-3, 5e-4}, {0, 0}}};
};

TEST_F(KeptTimesTest, ComeBackAsTheyWere) {
  EXPECT_FALSE(kept().read()) << "nothing is there yet";
  ASSERT_TRUE(kept().write(measured_));
  const auto found = kept().read();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->steps.passes.size(), 3u);
  EXPECT_EQ(found->steps.passes[1].tokens, 2);
  EXPECT_EQ(found->steps.passes[1].ms, 1.5);
  EXPECT_EQ(found->steps.passes[1].threads, 1);
  EXPECT_EQ(found->steps.passes[2].ms, 3) << "a whole number is a time, too";
  EXPECT_EQ(found->behind, 96);
  EXPECT_EQ(found->threads, measured_.threads);
}

TEST_F(KeptTimesTest, AreOfTheirSubjectOnly) {
  ASSERT_TRUE(kept().write(measured_));
  EXPECT_FALSE(kept("the model on another machine").read());
  // A file that came to have this one's name.
  edit("a model", "A model");
  EXPECT_FALSE(kept().read());
}

TEST_F(KeptTimesTest, WhatIsBrokenCountsAsNothing) {
  const std::pair<const char*, const char*> edits[] = {
      {"\"lichen_pass_times\":1", "\"lichen_pass_times\":2"},
      {"\"ms\":1.25E0", "\"ms\":-1.25E0"},
      {"\"ms\":1.25E0", "\"ms\":1E300"},
      {"\"ms\":1.25E0", "\"ms\":\"1\""},
      {"\"tokens\":2", "\"tokens\":1"},
      {"\"tokens\":2", "\"tokens\":2000000000000"},
      {"\"threads\":1", "\"threads\":0"},
      {"\"behind\":96", "\"behind\":-1"},
      {"\"behind\"", "\"before\""},
      {"[[", "[{}, ["},
      {"\"passes\":[", "\"passes\":[7,"},
      {"{", "{{"},
  };
  for (const auto& [from, to] : edits) {
    ASSERT_TRUE(kept().write(measured_));
    ASSERT_TRUE(kept().read());
    edit(from, to);
    EXPECT_FALSE(kept().read()) << to;
  }
  ASSERT_TRUE(kept().write(measured_));
  const fs::path file = files().front();
  const std::string whole = content(file);
  for (const std::string& text : {std::string(), whole.substr(0, whole.size() / 2), whole + whole,
                                  std::string(1 << 20, ' ') + whole}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(kept().read()) << text.size() << " bytes";
  }
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_FALSE(kept().read());
  EXPECT_EQ(kept().write(measured_).error().code, Errc::storage);
}

TEST_F(KeptTimesTest, AnUnusableFolderIsAnError) {
  fs::create_directories(folder_.parent_path());
  std::ofstream(folder_) << "a file";
  EXPECT_FALSE(kept().read());
  EXPECT_EQ(kept().write(measured_).error().code, Errc::storage);
}

TEST_F(KeptTimesTest, TheLongestUnusedGo) {
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(kept(std::to_string(i)).write(measured_));
    for (const fs::path& file : files()) {
      if (content(file).find("\"subject\":\"" + std::to_string(i) + "\"") != std::string::npos) {
        fs::last_write_time(file, now - std::chrono::hours(100 - i));
      }
    }
  }
  EXPECT_EQ(files().size(), 64u);
  ASSERT_TRUE(kept("0").read()) << "the oldest, which is used again";
  ASSERT_TRUE(kept("one more").write(measured_));
  EXPECT_EQ(files().size(), 64u);
  EXPECT_TRUE(kept("0").read());
  EXPECT_FALSE(kept("1").read());
  EXPECT_TRUE(kept("2").read());
}

TEST_F(KeptTimesTest, ManyMayWriteAndReadAtOnce) {
  ASSERT_TRUE(kept().write(measured_));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 20; ++j) {
        EXPECT_TRUE(kept().write(measured_));
        EXPECT_TRUE(kept().read());
      }
    });
  }
  threads.clear();
  EXPECT_EQ(files().size(), 1u);
}

}  // namespace
}  // namespace lichen::model
