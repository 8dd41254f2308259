#include "mechanisms/routing/token_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "mechanisms/routing/token_head_training.h"
#include "mechanisms/scripted_model.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using testing::HasSubstr;

/// Unlike where the second of three features is large; the first says nothing, the third never
/// varies.
std::vector<TokenLesson> lessons() {
  std::vector<TokenLesson> lessons;
  for (int i = 0; i < 400; ++i) {
    const auto one = static_cast<float>(i % 7), other = static_cast<float>(i % 10);
    lessons.push_back({.features = {one, other, 5}, .unlike = other > 6});
  }
  return lessons;
}

class TokenHeadTest : public testing::Test {
 protected:
  ~TokenHeadTest() override { std::filesystem::remove(path_); }
  std::string error() const {
    const auto loaded = load_token_head(path_);
    return loaded ? "" : loaded.error().detail;
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  const std::string path_ =
      testing::TempDir() + "token_head_test_" + std::to_string(getpid()) + ".head";
};

TEST_F(TokenHeadTest, LearnsWhereTheTokensDiffer) {
  const auto head = train_token_head(lessons());
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_GT(head->probability(std::vector<float>{3, 9, 5}), 0.8);
  EXPECT_LT(head->probability(std::vector<float>{3, 2, 5}), 0.2);
  EXPECT_EQ(head->tokens, 400);
  EXPECT_EQ(head->scale[2], 0);
  EXPECT_TRUE(std::isnan(head->probability(std::vector<float>{3, 9})));
  EXPECT_TRUE(std::isnan(head->probability(std::vector<float>{std::nanf(""), 9, 5})));
}

TEST_F(TokenHeadTest, RefusesWhatTeachesNothing) {
  auto few = lessons();
  few.resize(99);
  EXPECT_THAT(train_token_head(few).error().detail, HasSubstr("99 tokens"));
  auto alike = lessons();
  for (TokenLesson& lesson : alike) lesson.unlike = false;
  EXPECT_EQ(train_token_head(alike).error().code, Errc::bad_request);
}

TEST_F(TokenHeadTest, TrainingCanBeStopped) {
  std::stop_source stop;
  const auto stopped = train_token_head(
      lessons(), {.stop = stop.get_token(), .progress = [&](double) { stop.request_stop(); }});
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
}

TEST_F(TokenHeadTest, IsKeptInAFile) {
  TokenHead head = *train_token_head(lessons());
  head.small = {{"gguf", "aa"}};
  head.large = {{"url", "https://example.com"}};
  head.data_hash = "dd";
  ASSERT_TRUE(save_token_head(head, path_));
  const auto loaded = load_token_head(path_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const std::vector<float> features{3, 7, 5};
  EXPECT_EQ(loaded->probability(features), head.probability(features));
  EXPECT_EQ(loaded->small, head.small);
  EXPECT_EQ(loaded->large, head.large);
  EXPECT_EQ(loaded->data_hash, "dd");
  EXPECT_EQ(loaded->tokens, 400);
}

TEST_F(TokenHeadTest, RefusesForeignAndDamagedFiles) {
  EXPECT_THAT(error(), HasSubstr("is not there"));
  write("{\"lichen_confidence\":1}\n");
  EXPECT_THAT(error(), HasSubstr("is no head"));
  TokenHead head = *train_token_head(lessons());
  ASSERT_TRUE(save_token_head(head, path_));
  std::ifstream stream(path_, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(stream), {}};
  for (std::size_t size = 0; size + 1 < whole.size(); size += 11) {
    write(whole.substr(0, size));
    EXPECT_NE(error(), "") << size;
  }
  head.mean.pop_back();
  ASSERT_TRUE(save_token_head(head, path_));
  EXPECT_THAT(error(), HasSubstr("does not hold"));
}

/// What small, which says "abcdef", learns of an answer.
std::vector<bool> unlike(const std::string& text, bool ended) {
  const auto lane = std::make_shared<model::Lane>("test");
  const auto next = [](std::span<const Token> before) -> Token {
    std::size_t at = 0;
    while (before[before.size() - 1 - at] != '\n') ++at;
    return at < 6 ? static_cast<Token>('a' + at) : ByteVocabulary::kEnd;
  };
  const auto small = model::make_scripted_local_model(
      "small", lane,
      std::make_unique<model::ScriptedBackend>(model::Backend::Limits{.cells = 256,
                                                                      .batch = 4,
                                                                      .outputs = 4,
                                                                      .sequences = 4,
                                                                      .train_length = 100,
                                                                      .embedding = 4},
                                               next));
  Turn turn("train");
  const auto lessons =
      run(read_token_lessons(small, {.messages = {{"user", "?"}}}, text, ended, turn));
  EXPECT_TRUE(lessons) << lessons.error().detail;
  std::vector<bool> unlike;
  float size = 8;  // "user: ?\n"
  for (const TokenLesson& lesson : *lessons) {
    unlike.push_back(lesson.unlike);
    EXPECT_EQ(lesson.features.size(), kTokenScalars + 4);
    EXPECT_EQ(lesson.features.back(), size++) << "the row before the token";
  }
  return unlike;
}

TEST(TokenLessons, AreOfEachTokenAndTheEnd) {
  using Flags = std::vector<bool>;
  EXPECT_EQ(unlike("abXdef", true), (Flags{false, false, true, false, false, false, false}));
  EXPECT_EQ(unlike("abX", true), (Flags{false, false, true, true})) << "small would go on";
  EXPECT_EQ(unlike("abX", false), (Flags{false, false, true})) << "cut off, which is no end";
  EXPECT_EQ(unlike("", true), Flags{true});
}

}  // namespace
}  // namespace lichen::mechanisms
