#include "mechanisms/routing/asked_confidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>
#include <utility>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class AskedConfidenceTest : public testing::Test {
 protected:
  Result<double> of(const Confidence& confidence, Turn& turn, const std::string& text) {
    const Request request{.messages = {{"user", "What is 2 + 3?"}}};
    const Answer answer{.text = text};
    return run(confidence.of(request, answer, turn));
  }
  static std::shared_ptr<ScriptedModel> model(const std::string& name, std::vector<Script> script) {
    return std::make_shared<ScriptedModel>(name, std::move(script));
  }

  ScriptedOptions options_;
  Turn turn_{"plan"};
};

TEST_F(AskedConfidenceTest, AgreementIsTheShareOfSamplesThatSayTheSame) {
  options_.numbers = {{"samples", 4}, {"temperature", 0.5}};
  const auto small = model("small", {{.text = "Five  apples"},
                                     {.text = "four apples"},
                                     {.text = "five apples"},
                                     {.text = "six apples"}});
  const auto agreement = build_agreement(options_, small);
  ASSERT_TRUE(agreement);
  const auto score = of(**agreement, turn_, "five apples");
  ASSERT_TRUE(score) << score.error().detail;
  EXPECT_DOUBLE_EQ(*score, 0.5) << "case and blanks make no difference";
  ASSERT_EQ(turn_.receipt.steps.size(), 4u);
  for (const Step& step : turn_.receipt.steps) EXPECT_EQ(step.role, "sample");
  std::set<std::int64_t> seeds;
  for (const Request& request : small->requests()) {
    EXPECT_EQ(request.sampling.temperature, 0.5F);
    seeds.insert(request.sampling.seed.value());
  }
  EXPECT_EQ(seeds.size(), 4u);
}

TEST_F(AskedConfidenceTest, SamplesAreDrawnSideBySide) {
  // Each waits until all have been asked: one after the other they would never end.
  options_.numbers = {{"samples", 3}};
  const auto small = model("small", {{.text = "a", .never_ends = true}});
  const auto agreement = build_agreement(options_, small);
  std::jthread other([&] {
    while (small->requests().size() < 3) std::this_thread::yield();
    turn_.cancel();
  });
  EXPECT_EQ(of(**agreement, turn_, "a").error().code, Errc::cancelled);
  EXPECT_EQ(turn_.receipt.steps.size(), 3u) << "what each cost until then";
}

TEST_F(AskedConfidenceTest, AVerifierIsAskedByThePromptForJudges) {
  const auto judge =
      model("judge", {{.text = "yes", .logprob = static_cast<float>(std::log(0.8))}});
  options_.answerers = {{"verifier", judge}};
  const auto verifier = build_verifier(options_, model("small", {}));
  ASSERT_TRUE(verifier);
  const auto score = of(**verifier, turn_, "5");
  ASSERT_TRUE(score) << score.error().detail;
  EXPECT_DOUBLE_EQ(*score, 1) << "no was not among what it might have said";
  const Request asked = judge->requests().at(0);
  EXPECT_EQ(asked.messages.at(0).content,
            "What is 2 + 3?\n\nAnswer: 5\n\nIs this answer right? Reply yes or no.");
  ASSERT_EQ(turn_.receipt.steps.size(), 1u);
  EXPECT_EQ(turn_.receipt.steps[0].role, "verify");
}

TEST_F(AskedConfidenceTest, SmallMayVerifyItself) {
  const auto small = model("small", {{.text = "no"}});
  const auto self = build_self_verification(options_, small);
  EXPECT_DOUBLE_EQ(of(**self, turn_, "5").value(), 0);
}

TEST_F(AskedConfidenceTest, AVerdictThatIsNoneIsAnError) {
  const auto down =
      build_self_verification(options_, model("s", {{.error = Error{Errc::overloaded, "later"}}}));
  EXPECT_EQ(of(**down, turn_, "5").error().code, Errc::overloaded);
  EXPECT_EQ(turn_.receipt.steps.size(), 1u) << "cost is cost";
}

TEST_F(AskedConfidenceTest, RefusesWhatCannotBe) {
  for (const double samples : {1.0, 2.5, 33.0}) {
    options_.numbers = {{"samples", samples}};
    EXPECT_FALSE(build_agreement(options_, nullptr)) << samples;
  }
  EXPECT_FALSE(build_verifier(options_, nullptr)) << "no verifier is named";
}

}  // namespace
}  // namespace lichen::mechanisms
