// `speculate` on the bundled models.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "mechanisms/auxiliary/speculate.h"
#include "mechanisms/bundled_models.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

constexpr const char* kQuestions[] = {
    "What is 12 + 30?", "Sort these words: pear, apple, fig.", "Reverse the word lichen.",
    "Reverse the order of this list: cloud, tiger, maple, falcon.", "Tell me of Paris."};

class SpeculatePairTest : public BundledModelsTest {
 protected:
  static Result<AnswererPtr> speculate(const std::string& drafter,
                                       const std::string& target = "large") {
    ScriptedOptions options;
    if (!drafter.empty()) options.answerers["draft"] = bundled(drafter);
    options.answerers["target"] = bundled(target);
    options.numbers["guesses"] = 4;  // else none are made where they do not pay
    return build_speculate(options);
  }
};

TEST_F(SpeculatePairTest, SaysWhatTheTargetSays) {
  for (const char* drafter : {"small", "other", ""}) {
    const AnswererPtr plan = *speculate(drafter);
    for (const char* question : kQuestions) {
      EXPECT_EQ(ask(*plan, asking(question)).text, ask(*bundled("large"), asking(question)).text)
          << "drafts by " << drafter;
    }
  }
}

TEST_F(SpeculatePairTest, SomeGuessesAreAccepted) {
  for (const char* drafter : {"small", "other"}) {
    const Answer answer = ask(**speculate(drafter), asking(kQuestions[3]));
    EXPECT_GT(answer.drafted_tokens, 4) << drafter;
    EXPECT_GT(answer.accepted_tokens, 4) << drafter;
  }
}

TEST_F(SpeculatePairTest, SaysWhatItSaysUnderPenaltiesGrammarsAndBiases) {
  const AnswererPtr plan = *speculate("small");
  Request request = asking(kQuestions[3]);
  request.sampling.presence_penalty = 2.0F;
  request.sampling.repetition_penalty = 1.3F;
  EXPECT_EQ(ask(*plan, request).text, ask(*bundled("large"), request).text);
  request.sampling = {};
  const auto tokens = *bundled("large")->vocabulary().tokenize(" tiger", false);
  request.sampling.logit_bias = {{tokens.front(), -100.0F}};
  EXPECT_EQ(ask(*plan, request).text, ask(*bundled("large"), request).text);
  request.sampling = {};
  request.format.json_schema = boost::json::parse(R"({
      "type": "object", "additionalProperties": false, "required": ["city", "size"],
      "properties": {"city": {"enum": ["Paris", "Rome"]}, "size": {"type": "boolean"}}})");
  EXPECT_EQ(ask(*plan, request).text, ask(*bundled("large"), request).text);
  request.sampling.temperature = 0.8F;
  request.sampling.seed = 1;
  const Answer answer = ask(*plan, request);
  EXPECT_NO_THROW(boost::json::parse(answer.text)) << answer.text;
}

TEST_F(SpeculatePairTest, LogProbabilitiesAreTheTargets) {
  Request request = asking(kQuestions[3]);
  request.logprobs = true;
  request.top_logprobs = 2;
  const Answer plain = ask(*bundled("large"), request);
  const Answer drafted = ask(**speculate("small"), request);
  ASSERT_EQ(drafted.tokens.size(), plain.tokens.size());
  for (std::size_t i = 0; i < plain.tokens.size(); ++i) {
    EXPECT_EQ(drafted.tokens[i].text, plain.tokens[i].text);
    EXPECT_NEAR(drafted.tokens[i].logprob, plain.tokens[i].logprob, 0.05);
    ASSERT_EQ(drafted.tokens[i].top.size(), 2U);
  }
}

/// Of answers with many seeds, how often each is given.
std::map<std::string, double> frequencies(Answerer& answerer, Request request, int answers) {
  std::map<std::string, double> counts;
  for (int seed = 0; seed < answers; ++seed) {
    request.sampling.seed = seed;
    Turn turn("plan");
    const Result<Answer> answer = run(answerer.answer(request, turn));
    if (answer) counts[answer->text] += 1;
  }
  return counts;
}

/// By how many standard deviations the two differ more than chance would have it: chi-square of
/// two samples of one size, rare answers together, as a normal deviate (Wilson and Hilferty).
double deviation(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  std::map<std::string, std::pair<double, double>> both;
  for (const auto& [text, count] : a) both[text].first += count;
  for (const auto& [text, count] : b) both[text].second += count;
  double chi = 0;
  double cells = 0;
  std::pair<double, double> rare = {0, 0};
  auto add = [&](std::pair<double, double> cell) {
    if (cell.first + cell.second == 0) return;
    chi += (cell.first - cell.second) * (cell.first - cell.second) / (cell.first + cell.second);
    ++cells;
  };
  for (const auto& [text, cell] : both) {
    if (cell.first + cell.second < 20) {
      rare = {rare.first + cell.first, rare.second + cell.second};
    } else {
      add(cell);
    }
  }
  add(rare);
  const double freedom = cells - 1;
  if (freedom < 1) return 0;
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(chi / freedom) - (1 - spread)) / std::sqrt(spread);
}

TEST_F(SpeculatePairTest, AnswersAreAsProbableAsTheTargets) {
  Request request = asking(kQuestions[1]);
  request.max_tokens = 2;
  request.sampling.temperature = 4.0F;
  request.sampling.top_k = 12;
  constexpr int kAnswers = 150;
  const auto plain = frequencies(*bundled("large"), request, kAnswers);
  ASSERT_GT(plain.size(), 4U) << "too cold to tell";
  for (const char* drafter : {"small", "other"}) {
    const AnswererPtr plan = *speculate(drafter);
    EXPECT_LT(deviation(plain, frequencies(*plan, request, kAnswers)), 3.5) << drafter;
  }
}

TEST_F(SpeculatePairTest, ADrafterLargerThanItsTargetIsRefused) {
  const auto built = speculate("large", "small");
  ASSERT_FALSE(built);
  EXPECT_NE(built.error().detail.find("larger than its target"), std::string::npos);
}

}  // namespace
}  // namespace lichen::mechanisms
