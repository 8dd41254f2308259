#include "mechanisms/distillation/capture_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <fstream>
#include <map>

#include "mechanisms/distillation/capture_writer.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kAlternatives = 3;

std::vector<json::object> lines_of(const fs::path& file) {
  std::vector<json::object> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(json::parse(line).as_object());
  }
  return lines;
}

/// As DistillKit unpacks them.
std::vector<Token> unpacked(const json::array& bytes, int bits, int count) {
  std::vector<Token> tokens;
  for (int i = 0; i < count; ++i) {
    Token token = 0;
    for (int place = i * bits; place < (i + 1) * bits; ++place) {
      const auto byte = bytes.at(static_cast<std::size_t>(place) / 8).as_int64();
      token = token * 2 + static_cast<Token>((byte >> (7 - place % 8)) & 1);
    }
    tokens.push_back(token);
  }
  return tokens;
}

std::vector<float> halves(const json::array& bytes) {
  std::vector<float> values;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto bits =
        static_cast<std::uint16_t>(bytes[i].as_int64() | bytes[i + 1].as_int64() << 8);
    values.push_back(static_cast<float>(std::bit_cast<_Float16>(bits)));
  }
  return values;
}

class CaptureExportTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    small_ = *model::open_tokenizer(LICHEN_SOURCE_DIR "/models/lichen-small.gguf");
    other_ = *model::open_tokenizer(LICHEN_SOURCE_DIR "/models/lichen-other.gguf");
  }
  CaptureExportTest() { fs::create_directories(folder_); }
  ~CaptureExportTest() override { fs::remove_all(folder_); }

  static AnswerToken token(std::string text, std::vector<TokenLogprob> top) {
    return {.text = std::move(text), .top = std::move(top)};
  }
  static TaughtAnswer taught(const std::string& question, std::vector<AnswerToken> tokens,
                             Finish finish = Finish::stop) {
    TaughtAnswer taught{.messages = {{"user", question}}};
    for (const AnswerToken& token : tokens) taught.answer.text += token.text;
    taught.answer.tokens = std::move(tokens);
    taught.answer.finish = finish;
    return taught;
  }
  CaptureFile capture(const std::vector<TaughtAnswer>& answers) const {
    const fs::path file = folder_ / "capture.safetensors";
    auto writer = *CaptureWriter::open(file, {.teacher = "t", .alternatives = kAlternatives});
    for (const TaughtAnswer& answer : answers) EXPECT_TRUE(writer.add(answer));
    EXPECT_TRUE(writer.finish());
    return *CaptureFile::open(file);
  }
  static Token token_of(std::string_view bytes) {
    const auto tokens = small_.vocabulary->tokenize(bytes, false);
    EXPECT_EQ(tokens->size(), 1u) << bytes;
    return tokens->front();
  }
  /// The probabilities that a row of a line tells of, but those that are as good as never.
  static std::map<Token, double> odds(const json::object& line, std::size_t row) {
    const auto ids = unpacked(line.at("bytepacked_indices").as_array()[row].as_array(),
                              index_bits(small_.vocabulary->size()), kAlternatives);
    const auto values = halves(line.at("compressed_logprobs").as_array()[row].as_array());
    EXPECT_EQ(values.size(), std::size_t{kAlternatives});
    std::map<Token, double> odds;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_TRUE(odds.try_emplace(ids[i], std::exp(values[i])).second) << "a token stands twice";
    }
    std::erase_if(odds, [](const auto& each) { return each.second == 0; });
    return odds;
  }

  static inline model::Tokenizer small_, other_;
  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("lichen-export-" + std::to_string(getpid()));
  const fs::path file_ = folder_ / "train.jsonl";
};

TEST_F(CaptureExportTest, ChatsHaveTheAnswersThatEnd) {
  const auto from = capture({taught("2 + 2?", {token("4", {{"4", -0.1F}})}),
                             taught("Tell all", {token("o", {{"o", -0.1F}})}, Finish::length)});
  const auto exported = export_chats(from, file_);
  ASSERT_TRUE(exported) << exported.error().detail;
  EXPECT_EQ(exported->chats, 1u);
  EXPECT_EQ(exported->cut_off, 1u);
  const auto lines = lines_of(file_);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], json::parse(R"({"messages": [{"role": "user", "content": "2 + 2?"},
                                                   {"role": "assistant", "content": "4"}]})"));
}

TEST_F(CaptureExportTest, OddsAreTheTeachers) {
  const auto from = capture({taught("2 + 2?", {token("4", {{"4", -0.5F}, {"5", -1.5F}}),
                                               token("", {{"", -0.25F}, {"4", -2.F}})}),
                             taught("?", {token("5", {{"5", -0.125F}})})});
  const auto exported = export_odds(from, small_, {}, file_);
  ASSERT_TRUE(exported) << exported.error().detail;
  EXPECT_EQ(exported->rows, 2u);
  const auto lines = lines_of(file_);
  ASSERT_EQ(lines.size(), 2u);
  const auto length = static_cast<std::size_t>(exported->length);
  for (const json::object& line : lines) {
    for (const auto& [key, values] : line) EXPECT_EQ(values.as_array().size(), length) << key;
  }
  // prompt ... | 4 | end: the rows of both stand one before, the end's own says that it stays so.
  const auto& ids = lines[0].at("input_ids").as_array();
  const auto& labels = lines[0].at("labels").as_array();
  EXPECT_EQ(ids[length - 2], token_of("4"));
  EXPECT_EQ(ids[length - 1], small_.end_of_turn);
  EXPECT_EQ(odds(lines[0], length - 3),
            (std::map<Token, double>{{token_of("4"), std::exp(-0.5F)},
                                     {token_of("5"), std::exp(-1.5F)}}));
  EXPECT_EQ(odds(lines[0], length - 2),
            (std::map<Token, double>{{small_.end_of_turn, std::exp(-0.25F)},
                                     {token_of("4"), std::exp(-2.F)}}));
  EXPECT_EQ(odds(lines[0], length - 1), (std::map<Token, double>{{small_.end_of_turn, 1}}));
  for (std::size_t t = 0; t < length; ++t) {
    EXPECT_EQ(labels[t], t + 3 < length ? json::value(-100) : ids[t]) << t;
  }
}

TEST_F(CaptureExportTest, NobodySaysWhatFollowsAnAnswerThatWasCutOff) {
  const auto from = capture(
      {taught("2 + 2?", {token("4", {{"4", -0.5F}}), token("5", {{"5", -0.5F}})}, Finish::length)});
  ASSERT_TRUE(export_odds(from, small_, {}, file_));
  const auto line = lines_of(file_).at(0);
  const auto& labels = line.at("labels").as_array();
  EXPECT_EQ(labels[labels.size() - 1], -100);
  EXPECT_EQ(labels[labels.size() - 2], token_of("4"));
}

TEST_F(CaptureExportTest, WhatDoesNotFitIsLeftOutAndCounted) {
  const std::string many(2'000, 'x');
  const auto from =
      capture({taught("2 + 2?", {token("4", {{"4", -0.5F}})}),
               taught(many, {token("4", {{"4", -0.5F}})}), taught("Text alone", {token("4", {})})});
  const auto exported = export_odds(from, small_, {.longest = 100}, file_);
  ASSERT_TRUE(exported) << exported.error().detail;
  EXPECT_EQ(exported->rows, 1u);
  EXPECT_EQ(exported->too_long, 1u);
  EXPECT_EQ(exported->texts_only, 1u);
  const auto none = export_odds(from, small_, {.longest = 2}, folder_ / "none.jsonl");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("no example with odds has at most 2 tokens"));
  EXPECT_FALSE(fs::exists(folder_ / "none.jsonl"));
}

TEST_F(CaptureExportTest, AnotherVocabularyIsRefusedWithTheShare) {
  std::string word;  // a token of the one that is none of the other
  for (Token token = 0; token < small_.vocabulary->size() && word.empty(); ++token) {
    const std::string piece(small_.vocabulary->piece(token));
    const auto tokens = other_.vocabulary->tokenize(piece, false);
    if (piece.size() > 2 && tokens && tokens->size() > 1) word = piece;
  }
  ASSERT_FALSE(word.empty());
  const auto from = capture({taught("?", {token(word, {{word, -0.5F}})})});
  EXPECT_TRUE(export_odds(from, small_, {}, file_));
  const auto refused = export_odds(from, other_, {}, file_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_request);
  EXPECT_THAT(refused.error().detail, HasSubstr("1 of its 2 pieces (50.0 %)"));
}

TEST(CaptureExport, BitsAreDistillKits) {
  // pack_to_bytes([5, 1, 3], 3): 101 001 011 0000000
  EXPECT_THAT(bit_packed({5, 1, 3}, 3), ElementsAre(0b10100101, 0b10000000));
  EXPECT_EQ(index_bits(128'256), 17);
  EXPECT_EQ(index_bits(131'072), 17);
  EXPECT_EQ(index_bits(131'073), 18);
  EXPECT_EQ(index_bits(1), 1);
}

TEST(CaptureExport, TheConfigurationTellsHowOddsAreWritten) {
  const std::string config =
      distillkit_config({.length = 64, .vocabulary = 1'024, .alternatives = 48}, "/data/odds");
  for (const char* part :
       {"repo_id: \"/data/odds\"", "sequence_length: 64", "d: 1024", "exact_k: 48"}) {
    EXPECT_THAT(config, HasSubstr(part));
  }
}

}  // namespace
}  // namespace lichen::mechanisms
