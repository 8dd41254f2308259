#include "cli/home.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;

class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    fs::remove_all(root_);
    for (const auto* home : {"project", "installed"}) {
      fs::create_directories(root_ / home / "examples");
      std::ofstream(root_ / home / "examples/bundled.yaml") << "models: {}\n";
    }
    fs::create_directories(root_ / "project/build/release/src/cli");
  }
  ~HomeTest() override { fs::remove_all(root_); }

  const fs::path root_ =
      fs::path(testing::TempDir()) / ("lichen_home_test_" + std::to_string(::getpid()));
  const fs::path built_ = root_ / "project/build/release/src/cli/lichen";
};

TEST_F(HomeTest, IsAboveTheExecutable) {
  EXPECT_EQ(find_home(nullptr, built_, root_ / "installed"), root_ / "project");
  EXPECT_EQ(find_home("", built_, root_ / "installed"), root_ / "project");
}

TEST_F(HomeTest, IsWhereItWasInstalled) {
  EXPECT_EQ(find_home(nullptr, root_ / "bin/lichen", root_ / "installed"), root_ / "installed");
}

TEST_F(HomeTest, TheVariableGoesFirstAndMustBeRight) {
  const auto installed = root_ / "installed";
  EXPECT_EQ(find_home(installed.c_str(), built_, "/nowhere"), installed);
  const auto wrong = find_home("/nowhere", built_, installed);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().detail,
            "LICHEN_HOME is /nowhere, which holds no examples/bundled.yaml; it must name Lichen's "
            "own folder");
}

TEST_F(HomeTest, NowhereSaysWhereItLooked) {
  const auto home = find_home(nullptr, root_ / "bin/lichen", "/nowhere");
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().code, Errc::not_found);
  EXPECT_TRUE(home.error().detail.contains("LICHEN_HOME"));
  EXPECT_FALSE(find_home(nullptr, "", "")) << "no executable known";
}

TEST_F(HomeTest, AChosenConfigurationMustExist) {
  EXPECT_EQ(find_config(root_ / "project/examples/bundled.yaml"),
            root_ / "project/examples/bundled.yaml");
  const auto absent = find_config(root_ / "absent.yaml");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::not_found);
}

}  // namespace
}  // namespace lichen::cli
