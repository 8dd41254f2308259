// Captures of the bundled models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "mechanisms/bundled_models.h"
#include "mechanisms/distillation/collect.h"

namespace lichen::mechanisms {
namespace {

constexpr int kAlternatives = 16;

class CollectPairTest : public BundledModelsTest {
 protected:
  ~CollectPairTest() override { std::filesystem::remove(file_); }
  /// What `teacher` says to the question, read again by a scorer.
  CapturedExample captured(const std::string& teacher, TeacherQuestion question) {
    std::filesystem::remove(file_);
    auto writer = *CaptureWriter::open(file_, {teacher, kAlternatives});
    const auto model = bundled(teacher);
    const Teacher with{.answerer = model,
                       .scorer = std::make_unique<AnswerScorer>(model, kAlternatives)};
    const auto collected = run(collect(with, {std::move(question)}, writer, {.max_tokens = 40}));
    EXPECT_TRUE(collected && collected->kept == 1);
    EXPECT_TRUE(writer.finish());
    capture_ = *CaptureFile::open(file_);
    return *capture_->read(0);
  }

  const std::filesystem::path file_ =
      testing::TempDir() + "lichen-collect-pair-" + std::to_string(getpid());
  std::optional<CaptureFile> capture_;
};

TEST_F(CollectPairTest, TokensSpellTheAnswerAndItsEnd) {
  for (const char* teacher : {"large", "other"}) {
    const CapturedExample example = captured(teacher, {.messages = {{"user", "What is 12 + 30?"}}});
    EXPECT_EQ(example.answer, "12 + 30 = 42");
    std::uint32_t end = 0;
    for (const CapturedToken& token : example.tokens) {
      EXPECT_EQ(token.begin, end);
      end = token.end;
      double sum = std::exp(static_cast<double>(token.tail));
      for (const PieceOdds& odds : token.top) sum += std::exp(static_cast<double>(odds.logprob));
      EXPECT_NEAR(sum, 1, 2e-3);
      const std::string said = example.answer.substr(token.begin, token.end - token.begin);
      EXPECT_EQ(capture_->piece(token.top[0].piece), said) << "greedily written, so likeliest";
    }
    EXPECT_EQ(end, example.answer.size());
    EXPECT_EQ(example.tokens.back().begin, end);
    EXPECT_EQ(example.tokens.back().top[0].piece, kEndPiece);
  }
}

TEST_F(CollectPairTest, AnothersAnswerIsAsLikelyAsItIs) {
  const CapturedExample example =
      captured("large", {.messages = {{"user", "What is 12 + 30?"}}, .answer = "12 + 30 = 52"});
  const CapturedToken& wrong = example.tokens[example.tokens.size() - 3];
  EXPECT_NE(capture_->piece(wrong.top[0].piece),
            example.answer.substr(wrong.begin, wrong.end - wrong.begin))
      << "the teacher would have said another";
}

TEST_F(CollectPairTest, TheTeacherCorrectsWhatTheStudentSays) {
  auto writer = *CaptureWriter::open(file_, {"large", kAlternatives});
  const Teacher with{.answerer = bundled("small"),
                     .scorer = std::make_unique<AnswerScorer>(bundled("large"), kAlternatives)};
  const TeacherQuestion question{.messages = {{"user", "What is 731 x 46?"}},
                                 .right = [](const std::string&) { return false; }};
  ASSERT_TRUE(run(collect(with, {question}, writer, {.max_tokens = 40, .keep_wrong = true})));
  ASSERT_TRUE(writer.finish());
  const CaptureFile capture = *CaptureFile::open(file_);
  const CapturedExample example = *capture.read(0);
  const auto unlikely = [&](const CapturedToken& token) {
    const std::string said = example.answer.substr(token.begin, token.end - token.begin);
    return capture.piece(token.top[0].piece) != said;
  };
  EXPECT_THAT(example.tokens, testing::Contains(testing::ResultOf(unlikely, true)))
      << "small gets this wrong";
}

TEST_F(CollectPairTest, ATextOfAnyFormIsScored) {
  const CapturedExample example = captured(
      "small", {.messages = {{"user", "?"}}, .answer = "\xC3\xA9\xF0\x9F\x8D\x84 <|im_end|>\n\n"});
  EXPECT_EQ(example.tokens.back().end, example.answer.size());
}

}  // namespace
}  // namespace lichen::mechanisms
