// `handover` on the bundled pair.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mechanisms/bundled_models.h"
#include "mechanisms/routing/handover.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

constexpr const char* kQuestions[] = {"What is 12 + 30?", "Sort these words: pear, apple, fig.",
                                      "Reverse the word lichen."};

class HandoverPairTest : public BundledModelsTest {
 protected:
  AnswererPtr handover(double threshold, double span = 1, double back = 0) const {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    options.numbers = {{"threshold", threshold}, {"span", span}, {"back", back}};
    return *build_handover(options);
  }

  const std::shared_ptr<model::LocalModel> small_ = bundled("small", no_prefixes());
  const std::shared_ptr<model::LocalModel> large_ = bundled("large", no_prefixes());
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
