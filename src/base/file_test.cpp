#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace lichen::base {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() : path_(testing::TempDir() + "lichen-file-" + std::to_string(getpid())) {
    std::filesystem::remove(path_);
  }
  ~FileTest() override { std::filesystem::remove(path_); }

  const std::filesystem::path path_;
};

TEST_F(FileTest, HoldsWhatIsWritten) {
  const auto file = File::open_to_write(path_);
  ASSERT_TRUE(file) << file.error().detail;
  const std::array<std::uint32_t, 3> values = {1, 2, 3};
  ASSERT_TRUE(file->write(8, bytes_of(values)));
  EXPECT_EQ(file->size(), 20u);
  std::uint32_t last = 0;
  const auto again = File::open(path_);
  ASSERT_TRUE(again);
  ASSERT_TRUE(again->read(16, std::as_writable_bytes(std::span(&last, 1))));
  EXPECT_EQ(last, 3u);
  const auto behind = again->read(18, std::as_writable_bytes(std::span(&last, 1)));
  ASSERT_FALSE(behind);
  EXPECT_NE(behind.error().detail.find("ends too early"), std::string::npos);
  EXPECT_FALSE(again->write(0, bytes_of(last))) << "it was opened to be read";
  ASSERT_TRUE(file->resize(4));
  EXPECT_EQ(file->size(), 4u);
}

TEST_F(FileTest, IsLockedByOne) {
  const auto first = File::open_to_write(path_);
  EXPECT_TRUE(first->lock());
  EXPECT_FALSE(File::open_to_write(path_)->lock());
}

TEST_F(FileTest, TakesTheNameOfAnother) {
  const std::filesystem::path other = path_.string() + ".new";
  auto file = File::open_to_write(other);
  ASSERT_TRUE(file->write(0, bytes_of(std::uint64_t{1})));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->rename(path_));
  EXPECT_EQ(file->path(), path_);
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
  EXPECT_FALSE(file->rename("/no/such/folder/file"));
}

TEST_F(FileTest, OnlyRegularFiles) {
  EXPECT_EQ(File::open(path_).error().code, Errc::not_found);
  EXPECT_EQ(File::open(testing::TempDir()).error().code, Errc::storage);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(File::open(path_).error().code, Errc::storage) << "and nobody waits for a writer";
}

TEST_F(FileTest, ADiskThatIsTooSmallIsKnownBeforehand) {
  const auto file = File::open_to_write(path_);
  const auto resized = file->resize(std::uint64_t{1} << 50);
  ASSERT_FALSE(resized);
  EXPECT_EQ(resized.error().code, Errc::storage);
}

}  // namespace
}  // namespace lichen::base
