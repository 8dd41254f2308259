#include "cli/distill/train_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mechanisms/distillation/capture_writer.h"

namespace lichen::cli {
namespace {

using testing::Each;
using testing::Field;
using testing::FloatEq;
using testing::HasSubstr;
using training::Example;
using training::LossKind;

/// Files of a few examples for the bundled small model.
class TrainDataTest : public ::testing::Test {
 protected:
  TrainDataTest() {
    std::filesystem::create_directories(folder_);
    options_.student = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";
    options_.held_out = 0;
  }
  ~TrainDataTest() override { std::filesystem::remove_all(folder_); }

  std::string chats(const std::string& name, int count, const std::string& rest = "") const {
    std::ofstream file(folder_ / name);
    for (int i = 0; i < count; ++i) {
      file << R"({"prompt": "1 + )" << i << R"(?", "answer": "2")" << rest << "}\n";
    }
    return folder_ / name;
  }
  /// A teacher's answers, with its odds where it gave any.
  std::string capture(const std::string& name, int count, bool odds) const {
    auto writer =
        *mechanisms::CaptureWriter::open(folder_ / name, {.teacher = name, .alternatives = 2});
    for (int i = 0; i < count; ++i) {
      mechanisms::TaughtAnswer taught{.messages = {{"user", std::to_string(i)}}};
      taught.answer.text = "4";
      if (odds) taught.answer.tokens = {{"4", -0.2F, {{"4", -0.2F}, {"5", -2.F}}}};
      EXPECT_TRUE(writer.add(taught));
    }
    EXPECT_TRUE(writer.finish());
    return folder_ / name;
  }
  Result<TrainData> load(const std::vector<std::string>& data, LossKind loss = LossKind::sft) {
    options_.data = data;
    return load_train_data(options_, {.architecture = "llama", .context = 256}, loss);
  }

  const std::filesystem::path folder_ =
      testing::TempDir() + "lichen-train-data-" + std::to_string(getpid());
  TrainOptions options_;
};

TEST_F(TrainDataTest, AFilesWeightIsMultipliedIntoItsExamples) {
  const std::string three = chats("three.jsonl", 3, R"(, "weight": 0.5)");
  const std::string two = chats("two.jsonl", 2);
  const auto data = load({three + "=0.5", two + "=3"});
  ASSERT_TRUE(data) << data.error().detail;
  ASSERT_EQ(data->learned.size(), 5u);
  double sum = 0;
  for (const Example& example : data->learned) sum += example.weight;
  EXPECT_FLOAT_EQ(static_cast<float>(sum), 3 * 0.25F + 2 * 3);
  EXPECT_THAT(load({two + "=1e-30"})->learned, Each(Field(&Example::weight, FloatEq(1e-30F))));
  EXPECT_THAT(load({chats("tiny.jsonl", 1, R"(, "weight": 1e-30)") + "=1e-30"}).error().detail,
              HasSubstr("less extreme"));
}

TEST_F(TrainDataTest, AnotherWeightIsAnotherRun) {
  const std::string file = chats("chats.jsonl", 2);
  const std::string identity = load({file})->identity;
  EXPECT_EQ(load({file + "=1"})->identity, identity);
  EXPECT_NE(load({file + "=2"})->identity, identity);
  EXPECT_NE(load({file, file})->identity, identity);
}

TEST_F(TrainDataTest, EachTeachersAnswerIsAnExampleOfItsOwn) {
  const auto data =
      load({capture("a.safetensors", 3, true) + "=0.7", capture("b.safetensors", 3, true) + "=0.3"},
           LossKind::forward_kl);
  ASSERT_TRUE(data) << data.error().detail;
  EXPECT_EQ(data->learned.size(), 6u);
  EXPECT_THAT(data->learned, Each(Field(&Example::width, 2)));
}

TEST_F(TrainDataTest, AFileWithoutOddsIsRefusedWhereTheyAreLearned) {
  const std::string odds = capture("odds.safetensors", 2, true);
  const auto texts = load({odds, chats("chats.jsonl", 2)}, LossKind::forward_kl);
  ASSERT_FALSE(texts);
  EXPECT_EQ(texts.error().code, Errc::bad_request);
  EXPECT_THAT(texts.error().detail, HasSubstr("chats.jsonl: texts alone have no teacher's"));
  const auto plain = load({odds, capture("plain.safetensors", 2, false)}, LossKind::uld);
  ASSERT_FALSE(plain);
  EXPECT_THAT(plain.error().detail, HasSubstr("gave no log-probabilities, which --loss uld needs"));
  EXPECT_TRUE(load({odds, chats("chats.jsonl", 2)}));
  options_.held_out_data = chats("held.jsonl", 2);
  EXPECT_FALSE(load({odds}, LossKind::forward_kl));
}

TEST_F(TrainDataTest, AShareIsHeldOut) {
  options_.held_out = 0.25;
  const auto data = load({chats("chats.jsonl", 8)});
  EXPECT_EQ(data->held_out.size(), 2u);
  EXPECT_EQ(data->learned.size(), 6u);
  options_.held_out_data = chats("held.jsonl", 5);
  EXPECT_EQ(load(options_.data)->held_out.size(), 5u);
  EXPECT_EQ(load(options_.data)->learned.size(), 8u);
}

}  // namespace
}  // namespace lichen::cli
