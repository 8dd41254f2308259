#include "mechanisms/distillation/model_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ModelVersionsTest : public testing::Test {
 protected:
  ModelVersionsTest()
      : folder_(fs::temp_directory_path() / ("lichen-versions-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ModelVersionsTest() override { fs::remove_all(folder_); }

  fs::path adapter(const std::string& content) const {
    const fs::path file = folder_ / "new.gguf";
    std::ofstream(file) << content;
    return file;
  }
  static std::string content(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  fs::path versions() const { return folder_ / "small"; }

  const fs::path folder_;
};

TEST_F(ModelVersionsTest, AreNoneAtFirst) {
  const auto none = ModelVersions::open(versions());
  ASSERT_TRUE(none);
  EXPECT_EQ(none->current(), nullptr);
  EXPECT_TRUE(none->all().empty());
}

TEST_F(ModelVersionsTest, TheLastAddedIsInUseUntilAnotherIsChosen) {
  auto first = ModelVersions::open(versions());
  EXPECT_EQ(first->add(adapter("one"), "base", "better by 3 points").value(), 1);
  EXPECT_EQ(first->add(adapter("two"), "base", "").value(), 2);
  auto again = ModelVersions::open(versions());
  ASSERT_TRUE(again) << again.error().detail;
  ASSERT_NE(again->current(), nullptr);
  EXPECT_EQ(again->current()->number, 2);
  EXPECT_EQ(content(again->current()->adapter), "two");
  EXPECT_EQ(again->all()[0].note, "better by 3 points");
  EXPECT_EQ(again->all()[0].base, "base");

  ASSERT_TRUE(again->use(1));
  EXPECT_EQ(content(ModelVersions::open(versions())->current()->adapter), "one");
  ASSERT_TRUE(again->use(0));
  EXPECT_EQ(ModelVersions::open(versions())->current(), nullptr);
  EXPECT_EQ(again->add(adapter("three"), "base", "").value(), 3) << "numbers are not used again";
  const auto wrong = again->use(4);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("there are 0 to 3"));
}

TEST_F(ModelVersionsTest, WhatIsKeptIsUsedOnceItIsTold) {
  auto open = ModelVersions::open(versions());
  ASSERT_TRUE(open->add(adapter("one"), "base", ""));
  EXPECT_EQ(open->keep(adapter("two"), "base", "").value(), 2);
  EXPECT_EQ(open->keep(adapter("two"), "base", "").value(), 2) << "it is there already";
  auto again = ModelVersions::open(versions());
  EXPECT_EQ(again->current()->number, 1);
  EXPECT_EQ((*again->find(2))->number, 2);
  EXPECT_EQ(*again->find(0), nullptr);
  EXPECT_EQ((*again->find({}))->number, 1);
  EXPECT_EQ(again->find(3).error().code, Errc::not_found);
  ASSERT_TRUE(again->use(2));
  EXPECT_EQ(ModelVersions::open(versions())->current()->number, 2);
}

TEST_F(ModelVersionsTest, WhatCannotBeCopiedChangesNothing) {
  auto open = ModelVersions::open(versions());
  ASSERT_TRUE(open->add(adapter("one"), "base", ""));
  EXPECT_EQ(open->add(folder_ / "none.gguf", "base", "").error().code, Errc::not_found);
  EXPECT_EQ(ModelVersions::open(versions())->current()->number, 1);
}

TEST_F(ModelVersionsTest, DamageIsSaid) {
  ASSERT_TRUE(ModelVersions::open(versions())->add(adapter("one"), "base", ""));
  const fs::path file = ModelVersions::file_of(versions());
  const std::string good = content(file);
  for (const std::string& bad :
       {std::string("{"), std::string(R"({"current": 0})"),
        std::string(R"({"current": 2, "versions": []})"),
        std::string(R"({"current": 1, "versions": [{"number": 1, "adapter": "../../x"}]})"),
        std::string(R"({"current": 1, "versions": [{"number": 2, "adapter": "x"}]})")}) {
    std::ofstream(file) << bad;
    const auto opened = ModelVersions::open(versions());
    ASSERT_FALSE(opened) << bad;
    EXPECT_EQ(opened.error().code, Errc::bad_config);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
