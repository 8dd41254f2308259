#include "mechanisms/routing/prefill_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "mechanisms/routing/prefill_features.h"
#include "mechanisms/routing/route.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ScriptedBackend;
using testing::HasSubstr;

constexpr int kHidden = 2;
constexpr std::size_t kShort = 11;  // tokens of "user: 1234\n"

/// The scripted backend's hidden states say how many tokens there are: large is needed from 50 on.
std::vector<Example> examples() {
  std::vector<Example> all;
  for (int i = 0; i < 100; ++i) {
    const auto length = static_cast<float>(i);
    all.push_back({.prompt = std::to_string(i),
                   .small_right = i < 50,
                   .large_right = i >= 50,
                   .features = {std::log1p(length), -0.7F, 5, 0.8F, length, length}});
  }
  return all;
}

class PrefillRouterTest : public testing::Test {
 protected:
  PrefillRouterTest() {
    std::ofstream(gguf_) << "weights";
    auto backend = std::make_unique<ScriptedBackend>(model::Backend::Limits{.cells = 1'024,
                                                                            .batch = 64,
                                                                            .outputs = 64,
                                                                            .sequences = 16,
                                                                            .train_length = 200,
                                                                            .embedding = kHidden},
                                                     model::hashing_script(1'000'000));
    backend->on_decode = [this](std::span<const model::BatchToken> batch) {
      decoded_ += batch.size();
      return true;
    };
    small_ = model::make_scripted_local_model("small", lane_, std::move(backend), {.gguf = gguf_});
    file_ = *train_router(examples(), {.kind = RouterKind::prefill});
    file_.origin.small_hash = *small_->file_hash();
    options_.answerers = {{"small", small_}, {"large", large_}};
    options_.choices = {{"by", "prefill"}, {"router", path_}};
    options_.numbers = {{"threshold", 0.5}};
  }
  ~PrefillRouterTest() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(gguf_);
  }

  Result<AnswererPtr> route() {
    EXPECT_TRUE(save_router_file(file_, path_));
    return build_route(options_);
  }
  Result<Answer> ask(const std::string& prompt, Turn& turn) {
    const auto plan = route();
    EXPECT_TRUE(plan) << plan.error().detail;
    return run((*plan)->answer({.messages = {{"user", prompt}}, .max_tokens = 5}, turn));
  }
  /// A plan that is no model.
  Result<AnswererPtr> route_of_models() {
    ScriptedOptions options;
    options.answerers = {{"small", small_}, {"large", large_}};
    return build_route(options);
  }
  std::string error() {
    const auto plan = route();
    return plan ? "" : plan.error().detail;
  }

  const std::string path_ =
      testing::TempDir() + "prefill_router_test_" + std::to_string(getpid()) + ".router";
  const std::string gguf_ =
      testing::TempDir() + "prefill_router_test_" + std::to_string(getpid()) + ".gguf";
  std::size_t decoded_ = 0;  // tokens by small
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> small_;
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "by large"}});
  RouterFile file_;
  ScriptedOptions options_;
};

TEST_F(PrefillRouterTest, SmallGoesOnFromWhatTheRouterHasRead) {
  Turn turn("plan");
  const auto answer = ask("1234", turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->completion_tokens, 5);
  EXPECT_EQ(decoded_, kShort + 4) << "the last token of an answer is not decoded";
  const Decision& decision = turn.receipt.decisions.at(0);
  EXPECT_EQ(decision.choice, "small");
  EXPECT_GT(decision.score, 0.5);
  EXPECT_EQ(decision.threshold, 0.5);
  EXPECT_THAT(decision.reason, HasSubstr("prefill: need 0."));
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[0].role, "route");
  EXPECT_EQ(turn.receipt.steps[1].role, "answer");
  EXPECT_EQ(turn.receipt.steps[1].tokens_cached, static_cast<std::int64_t>(kShort));
}

TEST_F(PrefillRouterTest, LargeAnswersAndSmallHoldsNothing) {
  Turn turn("plan");
  const auto answer = ask(std::string(80, 'x'), turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "by large");
  EXPECT_EQ(turn.receipt.decisions.at(0).choice, "large");
  ASSERT_EQ(turn.receipt.steps.size(), 2u);
  EXPECT_EQ(turn.receipt.steps[0].model, "small");
  EXPECT_EQ(turn.receipt.steps[0].role, "route");
  lane_->call([] {});
  EXPECT_EQ(small_->stats().sessions, 0);
}

TEST_F(PrefillRouterTest, WhatSmallCannotTakeGoesToLarge) {
  Turn turn("plan");
  const auto answer = ask(std::string(300, 'x'), turn);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "by large");
  EXPECT_THAT(turn.receipt.decisions.at(0).reason, HasSubstr("context_overflow"));
}

TEST_F(PrefillRouterTest, OtherFailuresOfSmallAreTheRoutes) {
  Turn turn("plan");
  turn.cancel();
  const auto answer = ask("1234", turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  EXPECT_TRUE(large_->requests().empty());
}

TEST_F(PrefillRouterTest, SmallMustBeALocalModel) {
  options_.answerers["small"] = std::make_shared<ScriptedModel>(
      "small", std::vector<Script>{}, ScriptedModel::Traits{.local = false});
  EXPECT_THAT(error(), HasSubstr("must be a local model"));
  options_.answerers["small"] = *route_of_models();
  EXPECT_THAT(error(), HasSubstr("not a plan"));
}

TEST_F(PrefillRouterTest, AnotherSmallModelIsRefused) {
  file_.origin.small_hash = std::string(64, 'a');
  EXPECT_THAT(error(), HasSubstr("another small model"));
  file_.origin.small_hash.clear();
  EXPECT_THAT(error(), HasSubstr("not told"));
}

TEST_F(PrefillRouterTest, FilesThatDoNotFitAreRefused) {
  EXPECT_EQ(error(), "");
  RouterFile good = file_;
  file_.prefill.width = 5;
  EXPECT_THAT(error(), HasSubstr("the table `mean` has 6 numbers instead of 5"));
  file_ = good;
  file_.prefill.schema = "prefill-0";
  EXPECT_THAT(error(), HasSubstr("schema `prefill-0`"));
  auto narrow = examples();
  for (Example& example : narrow) example.features.pop_back();
  file_ = *train_router(narrow, {.kind = RouterKind::prefill});
  file_.origin.small_hash = *small_->file_hash();
  EXPECT_THAT(error(), HasSubstr("reads 5 features, and a pass of `small` has 6"));
  options_.choices["by"] = "linear";
  EXPECT_THAT(error(), HasSubstr("of the kind `prefill`, not `linear`"));
}

}  // namespace
}  // namespace lichen::mechanisms
