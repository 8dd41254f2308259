// For tests on the models that come with Lichen.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "mechanisms/scripted_model.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {

/// Each model is opened when it is first asked for, all on one lane, and closed with the suite.
/// They compute on one thread: the same sums in the same order each time.
class BundledModelsTest : public testing::Test {
 protected:
  static void TearDownTestSuite() {
    models_.clear();
    lane_.reset();
  }

  /// models/lichen-NAME.gguf, unless another file is given. Whoever asks first says how.
  static std::shared_ptr<model::LocalModel> bundled(const std::string& name,
                                                    model::LocalModelOptions options = {}) {
    if (lane_ == nullptr) lane_ = *model::open_lane({.name = "cpu", .threads = 2});
    std::shared_ptr<model::LocalModel>& model = models_[name];
    if (model == nullptr) {
      if (options.gguf.empty()) options.gguf = file_of(name);
      options.threads = 1;
      model = *model::open_local_model(name, options, lane_);
    }
    return model;
  }

  static std::filesystem::path file_of(const std::string& name) {
    return LICHEN_SOURCE_DIR "/models/lichen-" + name + ".gguf";
  }
  /// No beginnings of prompts are kept, which would change the order of sums.
  static model::LocalModelOptions no_prefixes() {
    model::LocalModelOptions options;
    options.batcher.prefix_cache_bytes = 0;
    return options;
  }

  static Request asking(const std::string& question, std::int64_t max_tokens = 64) {
    return {.messages = {{"user", question}}, .max_tokens = max_tokens};
  }
  /// An empty answer, and a failure of the test, where there is none.
  static Answer ask(Answerer& answerer, Request request, Turn& turn) {
    Result<Answer> answer = run(answerer.answer(std::move(request), turn));
    EXPECT_TRUE(answer) << answer.error().detail;
    return answer ? *std::move(answer) : Answer{};
  }
  static Answer ask(Answerer& answerer, Request request) {
    Turn turn("plan");
    return ask(answerer, std::move(request), turn);
  }

 private:
  static inline std::shared_ptr<model::Lane> lane_;
  static inline std::map<std::string, std::shared_ptr<model::LocalModel>> models_;
};

}  // namespace lichen::mechanisms
