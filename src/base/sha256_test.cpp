#include "base/sha256.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace lichen::base {
namespace {

// FIPS 180-2, appendix B.
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(sha256_hex("abc"), kOfAbc);
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), kOfMillionA);
}

class FileIdentityTest : public testing::Test {
 protected:
  ~FileIdentityTest() override { std::filesystem::remove(file_); }
  std::string identity_of(const std::string& bytes) const {
    std::ofstream(file_, std::ios::binary) << bytes;
    return file_identity(file_).value_or("unreadable");
  }
  const std::filesystem::path file_ =
      testing::TempDir() + "file_identity_test_" + std::to_string(getpid());
};

TEST_F(FileIdentityTest, IsOfEveryByteOfASmallFile) {
  std::string bytes((std::size_t{1} << 21) + 7, 'x');  // more than two pieces
  const std::string identity = identity_of(bytes);
  EXPECT_EQ(identity_of(bytes), identity);
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    std::string other = bytes;
    other[at] = 'y';
    EXPECT_NE(identity_of(other), identity) << at;
  }
  EXPECT_NE(identity_of(bytes + 'x'), identity);
  EXPECT_NE(identity_of(""), identity);
}

TEST_F(FileIdentityTest, LooksAtBothEndsOfALargeFile) {
  std::string bytes(std::size_t{66} << 20, 'x');
  const std::string identity = identity_of(bytes);
  for (const std::size_t at : {std::size_t{0}, bytes.size() - 1}) {
    std::string other = bytes;
    other[at] = 'y';
    EXPECT_NE(identity_of(other), identity) << at;
  }
}

TEST_F(FileIdentityTest, WhatCannotBeReadIsAnError) {
  const auto gone = file_identity(file_);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::bad_model);
  EXPECT_FALSE(file_identity(testing::TempDir())) << "a folder";
}

}  // namespace
}  // namespace lichen::base
