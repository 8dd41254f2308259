// `extract` on the bundled pair.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "mechanisms/bundled_models.h"
#include "mechanisms/pipeline/extract.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using ExtractPairTest = BundledModelsTest;

TEST_F(ExtractPairTest, JobsOfAChunkReadItOnce) {
  ScriptedOptions options;
  options.answerers = {{"plan", bundled("large")}, {"by", bundled("small")}};
  const auto plan = build_extract(options);
  ASSERT_TRUE(plan) << plan.error().detail;
  std::string document;
  for (int i = 0; i < 40; ++i) {
    document += i == 25 ? "In 2019 the profit of Gupa was 12. " : "Customers in Rome like Mola. ";
  }
  document += "The profit of Gupa was 30 in 2020.";
  Turn turn("plan");
  const auto answer = run((*plan)->answer(
      {.messages = {{"user", "How did the profit of Gupa change from 2019 to 2020?"}},
       .document = document},
      turn));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_FALSE(answer->text.empty());
  const auto& steps = turn.receipt.steps;
  const auto read = std::ranges::find(steps, "extract", &Step::role);
  ASSERT_NE(read, steps.end());
  EXPECT_EQ(read->model, "small");
  EXPECT_GT(read->tokens_cached, 0) << "of a prompt that begins with the same chunk";
  for (const Step& step : steps) {
    if (step.model == "large") EXPECT_LT(step.tokens_in, 200) << step.role;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
