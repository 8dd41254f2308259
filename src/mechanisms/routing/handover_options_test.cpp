// What a plan may ask of a handover, and what is refused when it is loaded.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/handover_fixture.h"
#include "mechanisms/routing/token_head.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class HandoverFilesTest : public HandoverTest {
 protected:
  ~HandoverFilesTest() override { std::filesystem::remove(path_); }

  /// Critical from this many tokens of prompt and answer on: the scripted hidden state counts them.
  static TokenHead counting(double tokens) {
    TokenHead head{.mean = {0, 0, tokens - 0.5, 0, 0, 0},
                   .scale = {0, 0, 10, 0, 0, 0},
                   .weights = {0, 0, 1, 0, 0, 0}};
    return head;
  }
  std::string answered_by_a_new_plan() {
    Turn turn("plan");
    return run((*plan())->answer(request_, turn))->text;
  }
  std::string refusal() {
    const Result<AnswererPtr> built = plan();
    return built ? "" : built.error().detail;
  }

  const std::string path_ =
      testing::TempDir() + "handover_options_test_" + std::to_string(getpid());
};

TEST_F(HandoverFilesTest, AHeadMayDecide) {
  pair("abcdef", "123456");
  choices_ = {{"by", "head"}, {"head", path_}};
  ASSERT_TRUE(save_token_head(counting(kPrompt + 3), path_));
  EXPECT_EQ(answered(), "abc[456]") << "large ends it, too";
  EXPECT_THAT(decision_.reason, HasSubstr("head from 0.05 at 4 of 7 tokens"));
  numbers_ = {{"threshold", 1}};
  EXPECT_EQ(answered(), "abcdef");
  numbers_ = {{"threshold", 0}};
  EXPECT_EQ(answered(), "[123456]");
}

TEST_F(HandoverFilesTest, ItsRiskIsWatched) {
  pair("abXde", "12345");
  const PlanCalibration calibration{
      .valid_for = {},
      .counts = {.n = 100,
                 .data_hash = "aa",
                 .grid = {{.threshold = 6, .by_small = 450, .unlike = 5, .tokens = 500}}}};
  ASSERT_TRUE(save_plan_calibration(calibration, path_));
  maps_ = {{"risk", {0.05, 0.1}}, {"shadow", {0.999, 0.05}}};
  choices_ = {{"calibration", path_}};
  const AnswererPtr watched = *plan();
  std::string said;
  int asked = 0;
  for (; asked < 200; ++asked) {
    Turn turn("plan");
    said = run(watched->answer(request_, turn))->text;
    if (said == "12345") {
      EXPECT_THAT(turn.receipt.decisions.front().reason, HasSubstr("drift alarm"));
      break;
    }
    EXPECT_EQ(said, "abXde");
    for (const Turn::Later& work : turn.later) {
      Turn shadow("plan");
      ASSERT_TRUE(run(work(shadow)));
      EXPECT_EQ(shadow.receipt.decisions.front().choice, "lost");
    }
  }
  EXPECT_EQ(said, "12345") << "large alone, once the bound has proved to be broken";
  EXPECT_GT(asked, 1);
  EXPECT_EQ(answered_by_a_new_plan(), "12345") << "and after a restart";
  std::filesystem::remove(path_ + ".drift");
  maps_ = {{"shadow", {0.02, 0.05}}};
  choices_ = {};
  EXPECT_THAT(refusal(), HasSubstr("without that there is nothing to hold"));
}

TEST_F(HandoverFilesTest, AHeadThatDoesNotFitIsRefused) {
  pair("abcdef", "123456");
  choices_ = {{"by", "head"}};
  EXPECT_THAT(refusal(), HasSubstr("head: missing"));
  choices_["head"] = path_;
  EXPECT_THAT(refusal(), HasSubstr("is not there"));
  TokenHead head = counting(9);
  head.small = {{"gguf", "aa"}};
  ASSERT_TRUE(save_token_head(head, path_));
  EXPECT_THAT(refusal(), HasSubstr("reads another small: `gguf` was aa and is not there"));
  head = counting(9);
  for (auto* values : {&head.mean, &head.scale, &head.weights}) values->push_back(0);
  ASSERT_TRUE(save_token_head(head, path_));
  EXPECT_THAT(refusal(), HasSubstr("reads 7 features, and a row of `small` has 6"));
}

TEST_F(HandoverFilesTest, ARiskChoosesTheThreshold) {
  pair("abXde", "12345");
  // Entropies of the scripted model's capital letters are over 5.
  PlanCalibration calibration{
      .valid_for = {},
      .counts = {
          .n = 100,
          .grid = {{.threshold = 0.1, .by_small = 500, .losses = 0, .unlike = 0, .tokens = 900},
                   {.threshold = 6, .by_small = 450, .losses = 1, .unlike = 1, .tokens = 880},
                   {.threshold = 7, .by_small = 800, .losses = 30, .unlike = 30, .tokens = 890}}}};
  maps_ = {{"risk", {0.05, 0.1}}};
  choices_ = {{"calibration", path_}};
  ASSERT_TRUE(save_plan_calibration(calibration, path_));
  EXPECT_EQ(answered(), "abXde") << "as 6 holds and 7 does not";
  maps_ = {{"risk", {0.03, 0.1}}};
  EXPECT_EQ(answered(), "ab[3]de");
  maps_ = {{"risk", {0.001, 0.1}}};
  EXPECT_EQ(answered(), "[12345]") << "too little data: large";
  numbers_ = {{"threshold", 0.5}};
  EXPECT_THAT(refusal(), HasSubstr("not both"));
}

TEST_F(HandoverFilesTest, AMarginsThresholdsAreTested) {
  pair("abXde", "12345");
  // Of the largest margin first, as minus it.
  PlanCalibration calibration{
      .valid_for = {{"by", "margin"}},
      .counts = {
          .n = 100,
          .grid = {
              {.threshold = -0.9, .by_small = 500, .losses = 0, .unlike = 0, .tokens = 900},
              {.threshold = -0.001, .by_small = 600, .losses = 9, .unlike = 9, .tokens = 900}}}};
  maps_ = {{"risk", {0.05, 0.1}}};
  choices_ = {{"calibration", path_}, {"by", "margin"}};
  ASSERT_TRUE(save_plan_calibration(calibration, path_));
  EXPECT_EQ(answered(), "ab[3]de");
  maps_ = {{"risk", {0.5, 0.1}}};
  EXPECT_EQ(answered(), "abXde");
  maps_ = {{"risk", {0.001, 0.1}}};
  EXPECT_EQ(answered(), "[12345]");
}

TEST_F(HandoverTest, RefusesWhatCannotWork) {
  pair("a", "b");
  const auto refused = [&](const std::string& why) {
    const Result<AnswererPtr> built = plan();
    ASSERT_FALSE(built) << why;
    EXPECT_EQ(built.error().code, Errc::bad_config);
    EXPECT_THAT(built.error().detail, HasSubstr(why));
  };
  for (const auto& [key, value] :
       {std::pair("span", 0.5), std::pair("span", 200'000.0), std::pair("span", 1.5),
        std::pair("back", -1.0), std::pair("back", 1.5), std::pair("threshold", -0.1)}) {
    numbers_ = {{key, value}};
    refused(key);
  }
  numbers_ = {};
  choices_ = {{"span", "some"}};
  refused("`rest`, or a whole number");
  choices_ = {{"by", "luck"}};
  refused("by");
  choices_ = {};
  const ModelPtr local = small_;
  small_ = std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                           ScriptedModel::Traits{.local = false});
  refused("needs the logits of `small`");
  small_ = large_;
  refused("same model");
  small_ = std::make_shared<ScriptedModel>("foreign");
  EXPECT_EQ(answered(), "unsupported") << "local, but no model of which there are logits";
}

}  // namespace
}  // namespace lichen::mechanisms
