#include "mechanisms/distillation/training/capture_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "mechanisms/distillation/capture_writer.h"

namespace lichen::training {
namespace {

using mechanisms::CaptureFile;
using mechanisms::CaptureWriter;
using mechanisms::TaughtAnswer;
using testing::HasSubstr;

class CaptureExamplesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    small_ = *model::open_tokenizer(LICHEN_SOURCE_DIR "/models/lichen-small.gguf");
    other_ = *model::open_tokenizer(LICHEN_SOURCE_DIR "/models/lichen-other.gguf");
  }
  ~CaptureExamplesTest() override { std::filesystem::remove(file_); }

  /// The capture of one answer, which a teacher wrote as these tokens.
  CaptureFile capture(std::vector<AnswerToken> tokens, std::string rationale = "") {
    std::filesystem::remove(file_);
    TaughtAnswer taught{.messages = {{"user", "2 + 2?"}}, .rationale = std::move(rationale)};
    for (const AnswerToken& token : tokens) taught.answer.text += token.text;
    taught.answer.tokens = std::move(tokens);
    auto writer = *CaptureWriter::open(file_, {.teacher = "t", .alternatives = 3});
    EXPECT_TRUE(writer.add(taught));
    EXPECT_TRUE(writer.finish());
    return *CaptureFile::open(file_);
  }
  static CaptureExamples read(const CaptureFile& capture, const model::Tokenizer& tokenizer,
                              TeacherOdds odds = TeacherOdds::pieces) {
    auto examples = read_capture(capture, tokenizer, {}, odds);
    EXPECT_TRUE(examples) << examples.error().detail;
    return examples ? *std::move(examples) : CaptureExamples{};
  }
  /// The student's token of just these bytes.
  static Token token(const model::Tokenizer& tokenizer, std::string_view bytes) {
    for (Token token = 0; token < tokenizer.vocabulary->size(); ++token) {
      if (tokenizer.vocabulary->piece(token) == bytes) return token;
    }
    return -1;
  }
  /// The teacher's probability of a token at a place of the answer; 0: not among the likeliest.
  static double odds(const Example& example, std::size_t place, Token token) {
    for (std::int64_t i = 0; i < example.width; ++i) {
      const auto at = place * static_cast<std::size_t>(example.width) + static_cast<std::size_t>(i);
      if (example.ids[at] == token) return std::exp(example.logprobs[at]);
    }
    return 0;
  }

  const std::filesystem::path file_ =
      testing::TempDir() + "lichen-capture-examples-" + std::to_string(getpid());
  static inline model::Tokenizer small_, other_;
};

std::vector<AnswerToken> four() {
  return {{"4", -0.2F, {{"4", -0.2F}, {"5", -2.F}, {"", -4.F}}},
          {"", -0.1F, {{"", -0.1F}, {"4", -3.F}, {".", -4.F}}}};
}

TEST_F(CaptureExamplesTest, HaveTheTeachersOddsInTheStudentsTokens) {
  const auto read = this->read(capture(four()), small_);
  ASSERT_EQ(read.chats.examples.size(), 1u);
  const Example& example = read.chats.examples[0];
  ASSERT_EQ(example.answer, (std::vector<Token>{token(small_, "4"), small_.end_of_turn}));
  EXPECT_EQ(example.width, 3);
  EXPECT_EQ(read.with_odds, 2);
  EXPECT_NEAR(odds(example, 0, token(small_, "4")), std::exp(-0.2), 1e-3);
  EXPECT_NEAR(odds(example, 0, small_.end_of_turn), std::exp(-4), 1e-3);
  EXPECT_NEAR(odds(example, 1, small_.end_of_turn), std::exp(-0.1), 1e-3);
  EXPECT_NEAR(std::exp(example.tail[0]), 1 - std::exp(-0.2) - std::exp(-2) - std::exp(-4), 2e-3);
}

TEST_F(CaptureExamplesTest, APieceWithoutATokenCountsByItsFirst) {
  // No token of the student's has two digits.
  const Token four = token(small_, "4");
  const auto read = this->read(capture({{"42", -0.5F, {{"42", -0.5F}, {"43", -2.F}, {"9", -3.F}}},
                                        {"", -0.1F, {{"", -0.1F}}}}),
                               small_);
  const Example& example = read.chats.examples[0];
  ASSERT_EQ(example.answer, (std::vector<Token>{four, token(small_, "2"), small_.end_of_turn}));
  EXPECT_NEAR(odds(example, 0, four), std::exp(-0.5) + std::exp(-2), 1e-3) << "of both together";
  EXPECT_NEAR(odds(example, 0, token(small_, "9")), std::exp(-3), 1e-3);
  EXPECT_EQ(odds(example, 1, token(small_, "2")), 1) << "within a token of the teacher's";
  EXPECT_EQ(example.tail[1], -INFINITY);
  EXPECT_EQ(read.tokens, 3);
  EXPECT_EQ(read.with_odds, 2);
}

TEST_F(CaptureExamplesTest, OneCaptureServesEveryVocabulary) {
  const CaptureFile file = capture(four());
  const Example small = read(file, small_).chats.examples[0];
  const Example other = read(file, other_).chats.examples[0];
  EXPECT_FALSE(model::same_tokens(*small_.vocabulary, *other_.vocabulary));
  EXPECT_NEAR(odds(other, 0, token(other_, "4")), odds(small, 0, token(small_, "4")), 1e-6);
  EXPECT_NEAR(odds(other, 1, other_.end_of_turn), odds(small, 1, small_.end_of_turn), 1e-6);
}

TEST_F(CaptureExamplesTest, SortedOddsNeedNoTokens) {
  const Example example = read(capture(four()), other_, TeacherOdds::sorted).chats.examples[0];
  EXPECT_TRUE(example.ids.empty());
  EXPECT_NEAR(example.logprobs[1], -2, 2e-3);
}

TEST_F(CaptureExamplesTest, TextsAloneAreAsSureAsTheyAre) {
  const CaptureFile file = capture({{"4", 0, {}}}, "2 and 2 are 4.");
  const auto plain = read(file, small_, TeacherOdds::none);
  ASSERT_EQ(plain.chats.examples.size(), 2u) << "and the rationale";
  EXPECT_EQ(plain.chats.examples[0].width, 0);
  EXPECT_FLOAT_EQ(plain.chats.examples[1].weight, 0.5F);
  const auto with = read(file, small_);
  EXPECT_EQ(with.with_odds, 0);
  EXPECT_EQ(odds(with.chats.examples[0], 0, token(small_, "4")), 1);
  EXPECT_EQ(odds(with.chats.examples[0], 1, small_.end_of_turn), 1);
}

TEST_F(CaptureExamplesTest, LongOnesAreLeftOut) {
  const auto none = read_capture(capture(four()), small_, {.longest = 3}, TeacherOdds::pieces);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("at most 3 tokens"));
}

}  // namespace
}  // namespace lichen::training
