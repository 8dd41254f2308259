#include "policy/plan_marks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mechanisms/scripted_model.h"

namespace lichen::policy {
namespace {

namespace fs = std::filesystem;
using Marks = std::map<std::string, std::string, std::less<>>;

class PlanMarksTest : public testing::Test {
 protected:
  PlanMarksTest()
      : folder_(fs::temp_directory_path() / ("lichen-marks-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~PlanMarksTest() override { fs::remove_all(folder_); }

  Marks marks(const std::string& plans) {
    const Result<Config> config = parse_config("plans:\n" + plans, folder_ / "f.yaml");
    EXPECT_TRUE(config) << config.error().detail;
    return plan_marks(*config, models_);
  }

  const fs::path folder_;
  std::vector<ModelPtr> models_ = {std::make_shared<mechanisms::ScriptedModel>("small"),
                                   std::make_shared<mechanisms::ScriptedModel>("large")};
};

TEST_F(PlanMarksTest, ExpressionsCountAndPlacesDoNot) {
  const Marks before = marks("  a: {cascade: {small: small, large: large}}\n  b: small");
  EXPECT_EQ(before, marks("\n\n  b: small\n  a:\n    cascade:\n      small: small # same\n"
                          "      large: large"));
  const Marks after =
      marks("  a: {cascade: {small: small, large: large, threshold: 1}}\n  b: small");
  EXPECT_NE(before.at("a"), after.at("a"));
  EXPECT_EQ(before.at("b"), after.at("b"));
}

TEST_F(PlanMarksTest, PlansThatNameEachOtherChangeTogether) {
  const Marks before = marks("  a: small\n  b: {fallback: [a, large]}\n  c: large");
  const Marks changed = marks("  a: large\n  b: {fallback: [a, large]}\n  c: large");
  EXPECT_NE(before.at("a"), changed.at("a"));
  EXPECT_NE(before.at("b"), changed.at("b"));
  EXPECT_EQ(before.at("c"), changed.at("c"));
  // What `a` shows may be numbered by who else holds it.
  EXPECT_NE(before.at("a"), marks("  a: small\n  c: large").at("a"));
}

TEST_F(PlanMarksTest, AnotherModelOfTheSameNameIsAnother) {
  const Marks before = marks("  a: small\n  b: large");
  models_[0] = std::make_shared<mechanisms::ScriptedModel>("small");
  const Marks after = marks("  a: small\n  b: large");
  EXPECT_NE(before.at("a"), after.at("a"));
  EXPECT_EQ(before.at("b"), after.at("b"));
}

TEST_F(PlanMarksTest, FilesCount) {
  const std::string plan =
      "  a: {route: {by: linear, router: r.router, small: small, large: large}}";
  const Marks none = marks(plan);
  std::ofstream(folder_ / "r.router") << "one";
  const Marks one = marks(plan);
  EXPECT_NE(none, one);
  EXPECT_EQ(one, marks(plan));
  std::ofstream(folder_ / "r.router") << "another";
  EXPECT_NE(one, marks(plan));
}

}  // namespace
}  // namespace lichen::policy
