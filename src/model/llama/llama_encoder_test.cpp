// The names model, which comes with Lichen, in libllama against what PyTorch computed of it
// (models/recipe/names/train_names.py writes `expected` beside the model).
#include "model/llama/llama_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cmath>

#include "model/label_head.h"
#include "model/open_local_model.h"

namespace lichen::model {
namespace {

using ::testing::HasSubstr;

constexpr const char* kNames = LICHEN_SOURCE_DIR "/models/lichen-names.gguf";

struct Expected {
  std::string text;
  std::vector<Token> tokens;
  std::vector<float> private_;  // of each token, the probability of any label but the first
};

const std::vector<Expected>& expected() {
  static const std::vector<Expected> kExpected = {
      {"My name is Zelda Vorschtein and I work for Quorbix in Lisbon.",
       {1293, 624, 314, 503, 303, 1613, 395, 742, 357, 590, 259,  304,
        301,  578, 349, 902, 266, 68,   948, 289, 322, 269, 3380, 16},
       {0.0188F, 0.0188F, 0.0187F, 0.9987F, 0.9987F, 0.9987F, 0.9988F, 0.9988F,
        0.9988F, 0.9989F, 0.9988F, 0.0187F, 0.0188F, 0.0188F, 0.0187F, 0.9988F,
        0.9987F, 0.9986F, 0.9987F, 0.0166F, 0.9988F, 0.9987F, 0.9984F, 0.0189F}},
      {"Ich heiße Jürgen Großmann und wohne in Düsseldorf.",
       {5513, 420,  75,   4008, 71,  362, 1711, 2047, 3662, 4008,
        2697, 1345, 5975, 289,  326, 834, 4242, 3783, 5382, 16},
       {0.0190F, 0.0190F, 0.0189F, 0.0187F, 0.0188F, 0.9986F, 0.9988F, 0.9989F, 0.9989F, 0.9989F,
        0.9989F, 0.0190F, 0.0188F, 0.0187F, 0.9988F, 0.9988F, 0.9989F, 0.9988F, 0.9988F, 0.0188F}}};
  return kExpected;
}

class LlamaEncoderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lane_ = *open_lane({.name = "cpu", .threads = 1});
    encoder_ = *open_token_encoder(kNames, lane_);
  }
  static void TearDownTestSuite() {
    encoder_.reset();
    lane_.reset();
  }

  static Result<std::vector<float>> encode(std::vector<std::vector<Token>> texts) {
    boost::asio::io_context io;
    Turn turn("names");
    auto states = boost::asio::co_spawn(io, encoder_->encode(std::move(texts), turn),
                                        boost::asio::use_future);
    io.run();
    return states.get();
  }

  static inline std::shared_ptr<Lane> lane_;
  static inline std::shared_ptr<TokenEncoder> encoder_;
};

float private_of(const LabelHead& head, std::span<const float> state) {
  double other = 0, first = 0;
  for (std::size_t label = 0; label < head.labels.size(); ++label) {
    double logit = head.bias[label];
    for (std::size_t i = 0; i < state.size(); ++i) {
      logit += static_cast<double>(head.weights[label * state.size() + i]) * state[i];
    }
    (label == 0 ? first : other) += std::exp(logit);
  }
  return static_cast<float>(other / (first + other));
}

TEST_F(LlamaEncoderTest, SaysOfTokensWhatPyTorchSays) {
  const auto head = read_label_head(kNames);
  ASSERT_TRUE(head) << head.error().detail;
  const auto width = static_cast<std::size_t>(encoder_->width());
  ASSERT_EQ(head->width, encoder_->width());
  std::vector<std::vector<Token>> texts;
  for (const Expected& text : expected()) {
    const auto tokens = encoder_->vocabulary().tokenize(text.text, false);
    ASSERT_TRUE(tokens) << tokens.error().detail;
    EXPECT_EQ(*tokens, text.tokens);
    texts.push_back(*tokens);
  }
  const auto states = encode(texts);  // both in one pass
  ASSERT_TRUE(states) << states.error().detail;
  std::size_t at = 0;
  for (const Expected& text : expected()) {
    for (std::size_t i = 0; i < text.tokens.size(); ++i, at += width) {
      // libllama rounds what it multiplies Q8_0 weights by.
      EXPECT_NEAR(private_of(*head, std::span(*states).subspan(at, width)), text.private_[i], 0.004)
          << text.text << " token " << i;
    }
  }
  EXPECT_EQ(at, states->size());
}

TEST_F(LlamaEncoderTest, WhatComesLaterCounts) {
  // The same first token, a name in one and none in the other: attention is not causal.
  const auto name = encode({*encoder_->vocabulary().tokenize("Mark called me from Oslo.", false)});
  const auto none = encode({*encoder_->vocabulary().tokenize("Mark the box with a pen.", false)});
  ASSERT_TRUE(name && none);
  double distance = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(encoder_->width()); ++i) {
    distance += std::abs((*name)[i] - (*none)[i]);
  }
  EXPECT_GT(distance, 1);
}

TEST_F(LlamaEncoderTest, NothingComesOfNothing) {
  const auto states = encode({{}, {}});
  ASSERT_TRUE(states) << states.error().detail;
  EXPECT_TRUE(states->empty());
}

TEST_F(LlamaEncoderTest, APassHasBounds) {
  const auto tokens = static_cast<std::size_t>(encoder_->pass_tokens());
  EXPECT_TRUE(encode({std::vector<Token>(tokens, 5)}));
  const auto longer = encode({std::vector<Token>(tokens + 1, 5)});
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Errc::internal);
  const auto more = encode(
      std::vector<std::vector<Token>>(static_cast<std::size_t>(encoder_->pass_texts()) + 1, {5}));
  EXPECT_FALSE(more);
}

TEST_F(LlamaEncoderTest, AModelThatAnswersIsNoEncoder) {
  const auto opened = open_token_encoder(LICHEN_SOURCE_DIR "/models/lichen-small.gguf", lane_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unsupported);
  EXPECT_THAT(opened.error().detail, HasSubstr("llama-embed"));
}

}  // namespace
}  // namespace lichen::model
