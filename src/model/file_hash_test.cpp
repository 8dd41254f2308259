#include "model/file_hash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace lichen::model {
namespace {

// FIPS 180-2, appendix B.
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(FileHash, IsTheStandards) {
  EXPECT_EQ(sha256("abc"), kOfAbc);
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), kOfMillionA);
}

TEST(FileHash, OfAFileIsThatOfItsBytes) {
  const std::filesystem::path file =
      testing::TempDir() + "file_hash_test_" + std::to_string(getpid());
  const std::string bytes((std::size_t{1} << 21) + 7, 'x');  // more than two pieces
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(file_sha256(file).value_or(""), sha256(bytes));
  std::filesystem::remove(file);
  const auto gone = file_sha256(file);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::bad_model);
  EXPECT_FALSE(file_sha256(testing::TempDir())) << "a folder";
}

}  // namespace
}  // namespace lichen::model
