// For the tests of `handover`: a pair of scripted models, and an answer with its authors.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/routing/handover.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {

inline constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                                .batch = 64,
                                                .outputs = 64,
                                                .sequences = 16,
                                                .train_length = 200,
                                                .embedding = 4};
inline constexpr std::int64_t kPrompt = 8;  // tokens of the question "?", "user: ?\n"

/// Where an answer stands: bytes since the prompt's end.
inline std::size_t place(std::span<const Token> before) {
  std::size_t written = 0;
  while (before[before.size() - 1 - written] != '\n') ++written;
  return written;
}

/// Says the byte of `reply` whose turn it is, whatever stands before; unsure of capital letters.
inline std::unique_ptr<model::ScriptedBackend> saying(std::string reply,
                                                      model::Backend::Limits limits = kLimits) {
  const auto next = [reply](std::span<const Token> before) -> Token {
    const std::size_t at = place(before);
    return at < reply.size() ? static_cast<unsigned char>(reply[at]) : model::ByteVocabulary::kEnd;
  };
  auto backend = std::make_unique<model::ScriptedBackend>(limits, next);
  backend->sureness = [next](std::span<const Token> before) {
    const Token token = next(before);
    return token < 256 && std::isupper(token) != 0 ? 1.0F : 20.0F;
  };
  return backend;
}

class HandoverTest : public testing::Test {
 protected:
  void pair(std::unique_ptr<model::ScriptedBackend> small,
            std::unique_ptr<model::ScriptedBackend> large) {
    small_ = make_scripted_local_model("small", lane_, std::move(small));
    large_ = make_scripted_local_model("large", lane_, std::move(large));
  }
  void pair(const std::string& small, const std::string& large) {
    pair(saying(small), saying(large));
  }
  Result<AnswererPtr> plan() {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = numbers_;
    options.choices = choices_;
    options.maps = maps_;
    return build_handover(options);
  }
  Result<Answer> ask(Turn& turn) { return run((*plan())->answer(request_, turn)); }
  /// The answer with its authors, "ab[c]de": what large wrote in brackets; and that nothing was
  /// lost, shown twice or taken back, and the books are right.
  std::string answered() {
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = ask(turn);
    if (!answer) return std::string(to_string(answer.error().code));
    EXPECT_EQ(sink.text(), answer->text);
    std::string text;
    std::size_t at = 0;
    std::int64_t by_large = 0, tokens = 0;
    for (const Stretch& stretch : answer->authors) {
      const std::string part = answer->text.substr(at, static_cast<std::size_t>(stretch.bytes));
      at += part.size();
      tokens += stretch.tokens;
      if (stretch.model == "large") by_large += stretch.tokens;
      text += stretch.model == "large" ? '[' + part + ']' : part;
    }
    EXPECT_EQ(at, answer->text.size());
    EXPECT_EQ(tokens, answer->completion_tokens);
    EXPECT_EQ(answer->prompt_tokens, kPrompt);
    std::int64_t out_small = 0, out_large = 0;
    for (const Step& step : turn.receipt.steps) {
      EXPECT_EQ(step.role, "answer");
      (step.model == "large" ? out_large : out_small) += step.tokens_out;
    }
    EXPECT_EQ(out_large, by_large);
    EXPECT_EQ(out_small, tokens - by_large);
    EXPECT_EQ(turn.receipt.decisions.size(), 1u);
    decision_ = turn.receipt.decisions.front();
    steps_ = turn.receipt.steps;
    answer_ = *std::move(answer);
    return text;
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  ModelPtr small_;
  ModelPtr large_;
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::string, std::less<>> choices_;
  std::map<std::string, std::vector<double>, std::less<>> maps_;
  Request request_{.messages = {{"user", "?"}}};
  Answer answer_;
  Decision decision_;
  std::vector<Step> steps_;
};

}  // namespace lichen::mechanisms
