#include "policy/version_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/sha256.h"
#include "mechanisms/distillation/model_versions.h"
#include "mechanisms/scripted_model.h"
#include "model/scripted_backend.h"

namespace lichen::policy {
namespace {

namespace fs = std::filesystem;
using mechanisms::ModelVersions;
using testing::HasSubstr;

class VersionWatchTest : public testing::Test {
 protected:
  VersionWatchTest()
      : folder_(fs::temp_directory_path() / ("lichen-watch-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write("base.gguf");
    const model::Backend::Limits limits{.cells = 512,
                                        .batch = 64,
                                        .outputs = 64,
                                        .sequences = 8,
                                        .train_length = 200,
                                        .embedding = 4};
    model_ = model::make_scripted_local_model(
        "small", std::make_shared<model::Lane>("test"),
        std::make_unique<model::ScriptedBackend>(limits, model::hashing_script(60)),
        {.gguf = folder_ / "base.gguf", .versions = folder_ / "versions"});
  }
  ~VersionWatchTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name) const {
    std::ofstream(folder_ / name) << name;
    return folder_ / name;
  }
  ModelVersions versions() const { return *ModelVersions::open(folder_ / "versions"); }
  void promote(const std::string& name) const {
    const auto base = base::file_identity(folder_ / "base.gguf");
    ASSERT_TRUE(versions().add(write(name), *base, ""));
  }
  std::string answer() {
    Turn turn("small");
    const auto answer =
        mechanisms::run(model_->answer({.messages = {{"user", "?"}}, .max_tokens = 30}, turn));
    return answer ? answer->text : answer.error().detail;
  }
  /// Whether the model says `text`, if not at once then within half a minute.
  bool says(const std::string& text) {
    for (int i = 0; i < 600 && answer() != text; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return answer() == text;
  }

  const fs::path folder_;
  std::shared_ptr<model::LocalModel> model_;
};

TEST_F(VersionWatchTest, TheChosenVersionAnswers) {
  const std::string made = answer();
  ASSERT_TRUE(use_chosen_version(*model_));
  EXPECT_EQ(answer(), made);
  promote("one.gguf");
  ASSERT_TRUE(use_chosen_version(*model_));
  EXPECT_NE(answer(), made);
  ASSERT_TRUE(versions().use(0));
  ASSERT_TRUE(use_chosen_version(*model_));
  EXPECT_EQ(answer(), made);
}

TEST_F(VersionWatchTest, AVersionOfOtherWeightsIsRefused) {
  promote("one.gguf");
  ASSERT_TRUE(use_chosen_version(*model_));
  const std::string learned = answer();
  ASSERT_TRUE(versions().add(write("two.gguf"), "other weights", ""));
  const auto used = use_chosen_version(*model_);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code, Errc::bad_model);
  EXPECT_THAT(used.error().detail, HasSubstr("version 2"));
  EXPECT_EQ(answer(), learned);
}

TEST_F(VersionWatchTest, AnotherChoiceIsInUseSoon) {
  const std::string made = answer();
  const VersionWatch watch({model_}, {});
  promote("one.gguf");
  for (int i = 0; i < 600 && answer() == made; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_NE(answer(), made);
  ASSERT_TRUE(versions().use(0));
  EXPECT_TRUE(says(made));
}

TEST_F(VersionWatchTest, WhatFilesWereMadeWithGoesOnAnswering) {
  const auto config = parse_config(
      "models:\n"
      "  small: {gguf: base.gguf, versions: versions}\n"
      "  large: {url: \"https://example.com/v1\", model: big}\n"
      "plans:\n"
      "  p: {cascade: {small: small, large: large, calibration: p.calibration,\n"
      "                risk: {alpha: 0.1, delta: 0.1}}}\n",
      folder_ / "lichen.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const std::string made = answer();
  const VersionWatch watch({model_}, *config);
  promote("one.gguf");
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // it looks each second
  EXPECT_EQ(answer(), made);
}

}  // namespace
}  // namespace lichen::policy
