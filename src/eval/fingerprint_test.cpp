#include "eval/fingerprint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace lichen::eval {
namespace {

namespace fs = std::filesystem;

class FingerprintTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("fingerprint_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    write("lichen.yaml", "models: ...");
    write("a.gguf", "1234");
    write("router.bin", "weights");
    config_.file = folder_ / "lichen.yaml";
    model::LocalModelOptions options;
    options.gguf = folder_ / "a.gguf";
    config_.models = {{.name = "a", .options = options}};
    policy::YamlNode router, route;
    router.kind = policy::YamlNode::Kind::scalar;
    router.text = "router.bin";
    route.kind = policy::YamlNode::Kind::map;
    route.items = {router};
    config_.plans = {{.name = "route", .expression = route}};
    suite_.tasks = {{.id = "1", .prompt = "q", .reference = "r", .check = *find_check("exact")}};
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string now() const {
    return fingerprint({.suite = suite_,
                        .config = config_,
                        .baselines = baselines_,
                        .plans = plans_,
                        .judge = judge_,
                        .concurrency = concurrency_,
                        .max_tokens = max_tokens_});
  }
  void expect_changes(const std::function<void()>& change, const char* what) {
    const auto before = now();
    EXPECT_EQ(now(), before);
    change();
    EXPECT_NE(now(), before) << what;
  }

  fs::path folder_;
  Suite suite_{.name = "s", .tasks = {}};
  policy::Config config_;
  Baselines baselines_{.large = {"a"}};
  std::vector<std::string> plans_ = {"route"};
  std::string judge_;
  int concurrency_ = 1;
  std::optional<int> max_tokens_;
};

TEST_F(FingerprintTest, ChangesWithEverythingThatAnOutcomeDependsOn) {
  EXPECT_EQ(now().size(), 32u);
  expect_changes([&] { suite_.tasks[0].prompt = "Q"; }, "a prompt");
  expect_changes([&] { suite_.tasks[0].reference = "R"; }, "a reference");
  expect_changes([&] { suite_.tasks[0].check = *find_check("final"); }, "a check");
  expect_changes([&] { suite_.tasks.push_back(suite_.tasks[0]); }, "a task more");
  expect_changes([&] { write("lichen.yaml", "models: {}"); }, "the configuration");
  expect_changes([&] { write("a.gguf", "12345"); }, "a model's size");
  expect_changes(
      [&] {
        fs::last_write_time(folder_ / "a.gguf",
                            fs::last_write_time(folder_ / "a.gguf") + std::chrono::seconds(1));
      },
      "a model's time of change");
  expect_changes([&] { write("router.bin", "other weights"); }, "a file that a plan names");
  expect_changes([&] { plans_.emplace_back("a"); }, "the plans");
  expect_changes([&] { baselines_.large.clear(); }, "who is large");
  expect_changes([&] { judge_ = "a"; }, "the judge");
  expect_changes([&] { concurrency_ = 2; }, "the concurrency");
  expect_changes([&] { max_tokens_ = 9; }, "the most tokens");
}

TEST_F(FingerprintTest, PartsCannotBeTakenForEachOther) {
  suite_.tasks[0].prompt = "ab";
  suite_.tasks[0].reference = "c";
  const auto before = fingerprint(suite_);
  suite_.tasks[0].prompt = "a";
  suite_.tasks[0].reference = "bc";
  EXPECT_NE(fingerprint(suite_), before);
}

}  // namespace
}  // namespace lichen::eval
