#include "base/replace_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace lichen::base {
namespace {

class ReplaceFileTest : public testing::Test {
 protected:
  ReplaceFileTest() { std::filesystem::create_directory(folder_); }
  ~ReplaceFileTest() override { std::filesystem::remove_all(folder_); }
  static std::string content(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  const std::filesystem::path folder_ =
      testing::TempDir() + "replace_file_test_" + std::to_string(getpid());
};

TEST_F(ReplaceFileTest, TakesTheOldOnesPlace) {
  const auto file = folder_ / "file";
  ASSERT_TRUE(replace_file(file, "a longer one"));
  ASSERT_TRUE(replace_file(file, std::string_view("a\0b", 3)));
  EXPECT_EQ(content(file), std::string_view("a\0b", 3));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "nothing beside";
}

TEST_F(ReplaceFileTest, LeavesNothingWhereItCannot) {
  EXPECT_EQ(replace_file(folder_ / "none" / "file", "x").error().code, Errc::storage);
  const auto taken = folder_ / "taken";
  std::filesystem::create_directory(taken);
  EXPECT_EQ(replace_file(taken, "x").error().code, Errc::storage) << "a folder has the name";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(ReplaceFileTest, IsWholeWhoeverWritesAtOnce) {
  const auto file = folder_ / "file";
  std::vector<std::jthread> writers;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([&file, letter] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(replace_file(file, std::string(1'000 * (letter - 'a' + 1), letter)));
        const std::string found = content(file);
        ASSERT_FALSE(found.empty());
        EXPECT_EQ(found, std::string(1'000 * (found[0] - 'a' + 1), found[0]));
      }
    });
  }
  writers.clear();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "nothing beside";
}

}  // namespace
}  // namespace lichen::base
