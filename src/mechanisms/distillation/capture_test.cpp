#include "mechanisms/distillation/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "mechanisms/distillation/capture_writer.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kHalf = 1e-3;  // relative precision of the kept log-probabilities

class CaptureTest : public testing::Test {
 protected:
  CaptureTest()
      : folder_(fs::temp_directory_path() / ("lichen-capture-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~CaptureTest() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name = "a.safetensors") const { return folder_ / name; }
  CaptureWriter writer(CaptureInfo info = {.teacher = "large", .alternatives = 3}) {
    auto writer = CaptureWriter::open(file(), info);
    if (!writer) throw std::runtime_error(writer.error().detail);
    return *std::move(writer);
  }
  static std::string error_of(const Result<CaptureFile>& opened) {
    return opened ? "none" : opened.error().detail;
  }
  std::string content(const fs::path& path) const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const fs::path& path, const std::string& bytes) const {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const fs::path folder_;
};

/// "It is NUMBER.", in four tokens and its end.
TaughtAnswer taught(int number) {
  const std::string text = std::to_string(number);
  TaughtAnswer taught{.id = "task-" + text, .messages = {{"user", "What is " + text + "?"}}};
  taught.answer.text = "It is " + text + ".";
  taught.answer.tokens = {
      {"It", -0.1F, {{"It", -0.1F}, {"That", -2.5F}}},
      {" is", -0.01F, {{" is", -0.01F}}},
      {" " + text, -0.7F, {{" " + text, -0.7F}, {" 0", -1.2F}, {" 1", -2.3F}, {" 2", -5.F}}},
      {".", -0.2F, {{".", -0.2F}, {"", -1.8F}, {"", -3.F}}}};
  return taught;
}

TEST_F(CaptureTest, HoldsWhatTheTeacherSaid) {
  {
    CaptureWriter capture = writer();
    ASSERT_TRUE(capture.add(taught(4)));
    TaughtAnswer second = taught(7);
    second.rationale = "Seven is seven.";
    second.answer.finish = Finish::length;
    second.messages.insert(second.messages.begin(), {"system", "Be short."});
    ASSERT_TRUE(capture.add(second));
    EXPECT_EQ(capture.examples(), 2u);
    EXPECT_EQ(capture.tokens(), 8u);
    ASSERT_TRUE(capture.finish());
  }
  EXPECT_FALSE(fs::exists(file().string() + ".partial"));
  const auto read = CaptureFile::open(file());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->info(), (CaptureInfo{.teacher = "large", .alternatives = 3}));
  ASSERT_EQ(read->examples(), 2u);
  EXPECT_EQ(read->tokens_of(1), 4u);

  const auto first = read->read(0);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->id, "task-4");
  EXPECT_EQ(first->messages[0].content, "What is 4?");
  EXPECT_EQ(first->answer, "It is 4.");
  EXPECT_TRUE(first->ended);
  const CapturedToken& number = first->tokens[2];
  EXPECT_EQ(first->answer.substr(number.begin, number.end - number.begin), " 4");
  ASSERT_EQ(number.top.size(), 3u) << "and no more";
  EXPECT_EQ(read->piece(number.top[1].piece), " 0");
  EXPECT_NEAR(number.top[1].logprob, -1.2, 1.2 * kHalf);
  const double left = 1 - std::exp(-0.7) - std::exp(-1.2) - std::exp(-2.3);
  EXPECT_NEAR(std::exp(number.tail), left, 0.002) << "the fourth among them";
  EXPECT_EQ(first->tokens[0].top.size(), 2u);

  const CapturedToken& point = first->tokens[3];
  ASSERT_EQ(point.top.size(), 2u) << "pieces of the same bytes are one";
  EXPECT_EQ(point.top[1].piece, kEndPiece);
  EXPECT_NEAR(std::exp(point.top[1].logprob), std::exp(-1.8) + std::exp(-3.0), 0.001);

  const auto second = read->read(1);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->ended);
  EXPECT_EQ(second->rationale, "Seven is seven.");
  EXPECT_EQ(second->messages[0].role, "system");
  EXPECT_EQ(read->piece(second->tokens[0].top[1].piece), "That");
}

TEST_F(CaptureTest, OneExampleOfAQuestion) {
  CaptureWriter capture = writer();
  EXPECT_FALSE(capture.has(capture_key(taught(4).messages)));
  ASSERT_TRUE(capture.add(taught(4)));
  EXPECT_TRUE(capture.has(capture_key(taught(4).messages)));
  ASSERT_TRUE(capture.add(taught(4)));
  EXPECT_EQ(capture.examples(), 1u);
}

TEST_F(CaptureTest, TextAloneWhereTheTokensDoNotSpellIt) {
  CaptureWriter capture = writer();
  TaughtAnswer other = taught(4);
  other.answer.text = "Something else";
  ASSERT_TRUE(capture.add(other));
  TaughtAnswer no_odds = taught(5);
  for (AnswerToken& token : no_odds.answer.tokens) token.top.clear();
  ASSERT_TRUE(capture.add(no_odds));
  TaughtAnswer stopped = taught(6);
  stopped.answer.text = "It is";
  ASSERT_TRUE(capture.add(stopped));
  EXPECT_EQ(capture.texts_only(), 2u);
  ASSERT_TRUE(capture.finish());
  const auto read = CaptureFile::open(file());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_TRUE(read->read(0)->tokens.empty());
  EXPECT_EQ(read->read(2)->tokens.size(), 2u) << "up to where the text was cut";
}

TEST_F(CaptureTest, GoesOnWhereAProcessWasKilled) {
  std::vector<std::size_t> ends;
  const fs::path journal = file().string() + ".partial";
  {
    CaptureWriter capture = writer();
    ends.push_back(fs::file_size(journal));
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(capture.add(taught(10 + i)));
      ends.push_back(fs::file_size(journal));
    }
  }
  const std::string whole = content(journal);
  for (std::size_t size = 0; size <= whole.size(); size += 5) {
    put(journal, whole.substr(0, size));
    CaptureWriter capture = writer();
    const auto kept = static_cast<std::size_t>(
        std::ranges::count_if(ends, [size](std::size_t end) { return end <= size; }));
    ASSERT_EQ(capture.examples(), kept == 0 ? 0 : kept - 1) << size;
    if (size % 95 != 0) continue;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(capture.add(taught(10 + i)));
    ASSERT_TRUE(capture.finish());
    const auto read = CaptureFile::open(file());
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->examples(), 3u);
    const auto last = read->read(2);
    ASSERT_TRUE(last);
    EXPECT_EQ(read->piece(last->tokens[2].top[0].piece), " 12");
    fs::remove(file());
  }
}

TEST_F(CaptureTest, ADamagedJournalIsCutWhereItIsDamaged) {
  {
    CaptureWriter capture = writer();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(capture.add(taught(10 + i)));
  }
  const fs::path journal = file().string() + ".partial";
  std::string bytes = content(journal);
  bytes[bytes.rfind("What is 11")] ^= 1;
  put(journal, bytes);
  EXPECT_EQ(writer().examples(), 1u);
}

TEST_F(CaptureTest, AFinishedCaptureMayGrow) {
  {
    CaptureWriter capture = writer();
    ASSERT_TRUE(capture.add(taught(4)));
    ASSERT_TRUE(capture.finish());
  }
  {
    CaptureWriter capture = writer();
    EXPECT_TRUE(capture.has(capture_key(taught(4).messages)));
    ASSERT_TRUE(capture.add(taught(5)));
    ASSERT_TRUE(capture.finish());
  }
  const auto read = CaptureFile::open(file());
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_EQ(read->examples(), 2u);
  EXPECT_EQ(read->read(0)->answer, "It is 4.");
  EXPECT_EQ(read->piece(read->read(1)->tokens[2].top[0].piece), " 5");
}

TEST_F(CaptureTest, TeachersAreNotMixed) {
  {
    ASSERT_TRUE(writer().add(taught(4)));
  }
  const auto other = CaptureWriter::open(file(), {.teacher = "other", .alternatives = 3});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().detail, HasSubstr("another teacher"));
  ASSERT_TRUE(writer().finish());
  EXPECT_FALSE(CaptureWriter::open(file(), {.teacher = "large", .alternatives = 4}));
  EXPECT_FALSE(CaptureWriter::open(file("b"), {.teacher = "large", .alternatives = 5'000}));
}

TEST_F(CaptureTest, OneProcessAtATime) {
  const CaptureWriter first = writer();
  const auto second = CaptureWriter::open(file(), {.teacher = "large", .alternatives = 3});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::overloaded);
}

TEST_F(CaptureTest, NothingCapturedIsNoCapture) {
  EXPECT_FALSE(writer().finish());
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(CaptureTest, DamagedFilesAreRefusedOrSound) {
  {
    CaptureWriter capture = writer();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(capture.add(taught(10 + i)));
    ASSERT_TRUE(capture.finish());
  }
  EXPECT_EQ(CaptureFile::open(file("none")).error().code, Errc::not_found);
  const std::string whole = content(file());
  const fs::path broken = file("broken");
  for (std::size_t size = 0; size < whole.size(); size += 31) {
    put(broken, whole.substr(0, size));
    EXPECT_FALSE(CaptureFile::open(broken)) << size;
  }
  // Any byte may be wrong: it is refused, or what is read lies within its bounds.
  for (std::size_t at = 0; at < whole.size(); at += at < 1'200 ? 5 : 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    put(broken, bytes);
    const auto read = CaptureFile::open(broken);
    if (!read) continue;
    for (std::size_t i = 0; i < read->examples(); ++i) {
      const auto example = read->read(i);
      if (!example) continue;
      for (const CapturedToken& token : example->tokens) {
        EXPECT_LE(token.end, example->answer.size());
        for (const PieceOdds& odds : token.top) EXPECT_LT(odds.piece, read->pieces());
      }
    }
  }
}

}  // namespace
}  // namespace lichen::mechanisms
