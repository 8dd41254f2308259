#include "privacy/kept_database.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "privacy/detector.h"

namespace lichen::privacy {
namespace {

namespace fs = std::filesystem;

class Kept : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("lichen_kept_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path only_file() const { return fs::directory_iterator(folder_)->path(); }

  fs::path folder_;
};

TEST_F(Kept, ReadsBackWhatWasWrittenForTheSameSubject) {
  const std::string bytes("a\0b", 3);
  KeptDatabase(folder_, "one").write(bytes);
  EXPECT_EQ(KeptDatabase(folder_, "one").read(), bytes);
  EXPECT_EQ(KeptDatabase(folder_, "two").read(), "");
}

TEST_F(Kept, ADamagedFileIsNone) {
  const KeptDatabase kept(folder_, "one");
  kept.write("some bytes");
  for (const auto size : {fs::file_size(kept.file()) - 1, std::uintmax_t{20}, std::uintmax_t{0}}) {
    fs::resize_file(kept.file(), size);
    EXPECT_EQ(kept.read(), "") << size;
  }
}

TEST_F(Kept, OnlyTheLastUsedStay) {
  for (std::size_t i = 0; i < KeptDatabase::kMostKept + 3; ++i) {
    KeptDatabase(folder_, std::to_string(i)).write("x");
  }
  EXPECT_EQ(files(), KeptDatabase::kMostKept);
}

TEST_F(Kept, NothingIsKeptWhereNothingCanBeWritten) {
  const KeptDatabase kept("/proc/nowhere", "one");
  kept.write("x");
  EXPECT_EQ(kept.read(), "");
}

class KeptDetector : public Kept {
 protected:
  std::vector<Span> find(std::string_view text) const {
    const auto detector = Detector::make({.kinds = KindSet()
                                                       .set(index_of(Kind::email))
                                                       .set(index_of(Kind::mac_address))
                                                       .set(index_of(Kind::person)),
                                          .dictionary = {{Kind::person, "Bluebell"}},
                                          .kept = folder_});
    EXPECT_TRUE(detector) << detector.error().detail;
    return *detector->find(text);
  }
  const std::string text_ = "ann@example.org, 00:1B:44:11:3A:B7, Bluebell";
};

TEST_F(KeptDetector, FindsTheSameFromTheFile) {
  const auto fresh = find(text_);
  EXPECT_EQ(fresh.size(), 3U);
  ASSERT_EQ(files(), 1U);
  const auto written = fs::last_write_time(only_file()) - std::chrono::hours(1);
  fs::last_write_time(only_file(), written);
  EXPECT_EQ(find(text_), fresh);
  EXPECT_GT(fs::last_write_time(only_file()), written) << "the file was not used";
}

TEST_F(KeptDetector, ADamagedFileIsMadeAnew) {
  const auto fresh = find(text_);
  fs::resize_file(only_file(), fs::file_size(only_file()) / 2);
  const auto damaged = fs::file_size(only_file());
  EXPECT_EQ(find(text_), fresh);
  EXPECT_GT(fs::file_size(only_file()), damaged);
}

TEST_F(KeptDetector, TheDictionaryIsNotWritten) {
  find(text_);
  std::ifstream stream(only_file(), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  for (char& c : bytes) c = static_cast<char>(c | 0x20);
  EXPECT_EQ(bytes.find("bluebell"), std::string::npos);
}

}  // namespace
}  // namespace lichen::privacy
