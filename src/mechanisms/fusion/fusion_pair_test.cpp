// The fusion mechanisms on the bundled models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mechanisms/bundled_models.h"
#include "mechanisms/fusion/rank_fuse.h"
#include "mechanisms/fusion/vote.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class FusionPairTest : public BundledModelsTest {
 protected:
  void member(const std::string& name, AnswererPtr answerer) {
    options_.sequence.push_back({.name = name, .answerer = std::move(answerer)});
  }
  void says(const std::string& name, const std::string& text) {
    member(name, std::make_shared<ScriptedModel>(name, std::vector<Script>{{.text = text}}));
  }
  std::string ask(Answerer& answerer, const std::string& question) {
    constexpr int kLongest = 200;
    const Answer answer = BundledModelsTest::ask(answerer, asking(question, kLongest), turn_);
    EXPECT_EQ(sink_.text(), answer.text);
    return answer.text;
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
};

TEST_F(FusionPairTest, ModelsOfDifferentVocabulariesVote) {
  member("small", bundled("small"));
  member("other", bundled("other"));
  says("wrong", "43");
  EXPECT_EQ(ask(**build_vote(options_), "What is 12 + 30?"), "12 + 30 = 42");
  EXPECT_EQ(turn_.receipt.decisions.at(0).reason, "votes 2 (small, other), next 1 (wrong)");
}

TEST_F(FusionPairTest, TheSurerOfTwoWins) {
  options_.choices = {{"confidence", "min"}};
  member("unsure", std::make_shared<ScriptedModel>(
                       "unsure", std::vector<Script>{{.text = "43", .logprob = -2.0F}}));
  member("small", bundled("small"));
  EXPECT_EQ(ask(**build_vote(options_), "What is 12 + 30?"), "12 + 30 = 42")
      << turn_.receipt.decisions.at(0).reason;
}

TEST_F(FusionPairTest, LargeTellsTheRightAnswerInWhicheverPlace) {
  says("wrong", "75 / 5 = 18. The answer is 18.");
  says("right", "75 / 5 = 15. The answer is 15.");
  options_.answerers = {{"judge", bundled("large")}};
  EXPECT_EQ(ask(**build_rank_fuse(options_),
                "Dan drives 5 kilometres in one hour. How many hours does it take for 75 "
                "kilometres?"),
            "75 / 5 = 15. The answer is 15.");
  EXPECT_EQ(turn_.receipt.decisions.at(0).choice, "right");
  EXPECT_THAT(turn_.receipt.decisions.at(0).reason, HasSubstr("0 of 1 pairs hang on the order"));
  EXPECT_EQ(turn_.receipt.steps.at(0).tokens_out, 2) << "a letter for each order";
}

TEST_F(FusionPairTest, LargeFusesIntoTheRightAnswer) {
  says("wrong", "33");
  says("right", "21");
  options_.answerers = {{"by", bundled("large")}};
  EXPECT_EQ(ask(**build_rank_fuse(options_),
                "These are the values: 33, 37, 26, 21. Find the smallest number."),
            "21");
}

}  // namespace
}  // namespace lichen::mechanisms
