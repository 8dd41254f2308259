// For the tests of `blend`: scripted models, and a plan of them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/fusion/blend.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {

/// Where an answer stands: bytes since the prompt's end, which is the last line feed.
inline std::size_t place(std::span<const Token> before) {
  std::size_t written = 0;
  while (before[before.size() - 1 - written] != '\n') ++written;
  return written;
}

class BlendTest : public testing::Test {
 protected:
  /// Says the byte of `reply` whose turn it is, whatever stands before, with the logit of its place
  /// in `sureness` (the last one holds on); all other tokens have the logit 0.
  std::shared_ptr<model::LocalModel> saying(const std::string& name, std::string reply,
                                            std::vector<float> sureness,
                                            std::shared_ptr<model::Lane> lane = nullptr) {
    constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                             .batch = 64,
                                             .outputs = 64,
                                             .sequences = 16,
                                             .train_length = 200,
                                             .embedding = 4};
    auto backend = std::make_unique<model::ScriptedBackend>(
        kLimits, [reply](std::span<const Token> before) -> Token {
          const std::size_t at = place(before);
          return at < reply.size() ? static_cast<unsigned char>(reply[at])
                                   : model::ByteVocabulary::kEnd;
        });
    backend->sureness = [sureness](std::span<const Token> before) {
      return sureness[std::min(place(before), sureness.size() - 1)];
    };
    return make_scripted_local_model(name, lane != nullptr ? lane : lane_, std::move(backend));
  }
  void of(std::vector<ModelPtr> models) {
    options_.sequence.clear();
    for (ModelPtr& model : models) {
      const std::string name = model->name();
      options_.sequence.push_back({.name = name, .answerer = std::move(model)});
    }
  }
  /// What was streamed is the answer, and its parts are the authors'.
  Result<Answer> ask(Answerer& plan) {
    CollectingSink sink;
    Turn turn("plan", &sink);
    Result<Answer> answer = run(plan.answer(request_, turn));
    receipt_ = turn.receipt;
    if (!answer) return answer;
    EXPECT_EQ(sink.text(), answer->text);
    std::int64_t bytes = 0, tokens = 0;
    for (const Stretch& stretch : answer->authors) {
      bytes += stretch.bytes;
      tokens += stretch.tokens;
    }
    EXPECT_EQ(bytes, std::ssize(answer->text));
    EXPECT_EQ(tokens, answer->completion_tokens);
    return answer;
  }
  Result<Answer> ask() {
    Result<AnswererPtr> plan = build_blend(options_);
    if (!plan) return std::unexpected(plan.error());
    return ask(**plan);
  }
  std::string answered() {
    const Result<Answer> answer = ask();
    return answer ? answer->text : answer.error().detail;
  }
  std::string refused() {
    const Result<AnswererPtr> plan = build_blend(options_);
    return plan ? "" : plan.error().detail;
  }
  /// The step of the model of that name.
  const Step& step(std::string_view model) const {
    for (const Step& step : receipt_.steps) {
      if (step.model == model) return step;
    }
    static const Step kNone;
    return kNone;
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  ScriptedOptions options_;
  Request request_{.messages = {{"user", "?"}}, .max_tokens = 12};
  Receipt receipt_;
};

}  // namespace lichen::mechanisms
