// `handover` on the bundled pair.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mechanisms/routing/handover.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {
namespace {

constexpr const char* kQuestions[] = {"What is 12 + 30?", "Sort these words: pear, apple, fig.",
                                      "Reverse the word lichen."};

class HandoverPairTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lane_ = *model::open_lane({.name = "cpu", .threads = 2});
    small_ = open("small");
    large_ = open("large");
  }
  static void TearDownTestSuite() {
    small_.reset();
    large_.reset();
    lane_.reset();
  }
  /// One thread and no kept prefixes: the same sums in the same order each time.
  static std::shared_ptr<model::LocalModel> open(const std::string& name) {
    model::LocalModelOptions options{
        .gguf = std::string(LICHEN_SOURCE_DIR "/models/lichen-") + name + ".gguf", .threads = 1};
    options.batcher.prefix_cache_bytes = 0;
    return *model::open_local_model(name, options, lane_);
  }
  static Request asking(const std::string& question) {
    return {.messages = {{"user", question}}, .max_tokens = 48};
  }
  static Answer ask(Answerer& answerer, Request request) {
    Turn turn("plan");
    Result<Answer> answer = run(answerer.answer(std::move(request), turn));
    EXPECT_TRUE(answer) << answer.error().detail;
    return answer ? *std::move(answer) : Answer{};
  }
  static AnswererPtr handover(double threshold, double span = 1, double back = 0) {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = {{"threshold", threshold}, {"span", span}, {"back", back}};
    return *build_handover(options);
  }

  static inline std::shared_ptr<model::Lane> lane_;
  static inline std::shared_ptr<model::LocalModel> small_;
  static inline std::shared_ptr<model::LocalModel> large_;
};

TEST_F(HandoverPairTest, TheThresholdsEndsAreTheModelsAlone) {
  for (const char* question : kQuestions) {
    EXPECT_EQ(ask(*handover(0), asking(question)).text, ask(*large_, asking(question)).text);
    EXPECT_EQ(ask(*handover(0, 4, 1), asking(question)).text, ask(*large_, asking(question)).text);
    EXPECT_EQ(ask(*handover(100), asking(question)).text, ask(*small_, asking(question)).text);
  }
}

TEST_F(HandoverPairTest, SamplingAndGrammarGoOnAcrossAuthors) {
  Request request = asking(kQuestions[0]);
  request.sampling = {.temperature = 1, .repetition_penalty = 1.1F, .seed = 7};
  EXPECT_EQ(ask(*handover(0), request).text, ask(*large_, request).text);
  EXPECT_EQ(ask(*handover(100), request).text, ask(*small_, request).text);
  request.format.gbnf = "root ::= \"[\" [0-9] [0-9] [0-9] [0-9] [0-9] [0-9] \"]\"";
  for (const double threshold : {0.2, 1.0, 2.0}) {
    const Answer answer = ask(*handover(threshold), request);
    EXPECT_EQ(answer.text.size(), 8u) << answer.text;
    EXPECT_EQ(answer.finish, Finish::stop);
  }
}

}  // namespace
}  // namespace lichen::mechanisms
