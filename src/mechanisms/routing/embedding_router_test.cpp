#include "mechanisms/routing/embedding_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "mechanisms/routing/example_router.h"
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

/// Its hidden states' direction says how many tokens there are.
class TurningBackend : public ScriptedBackend {
 public:
  using ScriptedBackend::ScriptedBackend;
  std::span<const float> hidden(int index) override {
    constexpr float kOther = 20;
    row_ = {ScriptedBackend::hidden(index).front(), kOther};
    return row_;
  }

 private:
  std::array<float, kHidden> row_{};
};

class EmbeddingRouterTest : public testing::Test {
 protected:
  EmbeddingRouterTest() {
    std::ofstream(gguf_) << "weights";
    auto backend = std::make_unique<TurningBackend>(model::Backend::Limits{.cells = 1'024,
                                                                           .batch = 64,
                                                                           .outputs = 64,
                                                                           .sequences = 16,
                                                                           .train_length = 200,
                                                                           .embedding = kHidden},
                                                    model::hashing_script(1'000'000));
    embedder_ =
        model::make_scripted_local_model("embedder", lane_, std::move(backend), {.gguf = gguf_});
    options_.answerers = {{"small", says("small")}, {"large", says("large")}};
    options_.answerers["embedder"] = embedder_;
    options_.choices = {{"by", "knn"}, {"router", path_}};
    options_.numbers = {{"threshold", 0.5}};
    auto examples = teaching();
    file_ = *train_router(examples,
                          {.kind = RouterKind::knn, .embedder_hash = *embedder_->file_hash()});
  }
  ~EmbeddingRouterTest() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(gguf_);
  }

  static AnswererPtr says(const std::string& text) {
    return std::make_shared<ScriptedModel>(text, std::vector<Script>{{.text = text}});
  }
  std::vector<float> embedding(const std::string& text) {
    Turn turn("embed");
    std::vector<std::string> texts = {text};
    const auto embeddings = run(embedder_->embed(std::move(texts), turn));
    EXPECT_TRUE(embeddings) << embeddings.error().detail;
    return embeddings->front();
  }
  /// Short prompts are for small, long ones for large.
  std::vector<Example> teaching() {
    std::vector<Example> examples;
    for (std::size_t length = 1; length <= 60; ++length) {
      const std::string prompt(length, 'x');
      examples.push_back({.prompt = prompt,
                          .small_right = length <= 30,
                          .large_right = length > 30,
                          .features = embedding(prompt)});
    }
    return examples;
  }
  Result<AnswererPtr> route() {
    EXPECT_TRUE(save_router_file(file_, path_));
    return build_route(options_);
  }
  Receipt asked(const std::string& prompt) {
    Turn turn("plan");
    const auto plan = route();
    EXPECT_TRUE(plan) << plan.error().detail;
    if (plan) {
      EXPECT_TRUE(run((*plan)->answer({.messages = {{"user", prompt}}}, turn)));
    }
    return turn.receipt;
  }
  std::string error() {
    const auto plan = route();
    return plan ? "" : plan.error().detail;
  }

  const std::string path_ =
      testing::TempDir() + "embedding_router_test_" + std::to_string(getpid()) + ".router";
  const std::string gguf_ = path_ + ".gguf";
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> embedder_;
  ScriptedOptions options_;
  RouterFile file_;
};

TEST_F(EmbeddingRouterTest, ChoosesByWhatBecameOfTheNearest) {
  const Receipt few = asked("xxxxx"), many = asked(std::string(55, 'x'));
  EXPECT_EQ(few.decisions.at(0).choice, "small");
  EXPECT_EQ(many.decisions.at(0).choice, "large");
  EXPECT_THAT(many.decisions.at(0).reason, HasSubstr("knn of embeddings"));
  ASSERT_EQ(many.steps.size(), 2U);
  EXPECT_EQ(many.steps[0].role, "embed");
  EXPECT_EQ(many.steps[0].tokens_in, 55);
}

TEST_F(EmbeddingRouterTest, JudgesExamplesAsItDoesPrompts) {
  const auto router = ExampleRouter::open(file_);
  ASSERT_TRUE(router) << router.error().detail;
  const auto need = router->need({.prompt = "xxxxx", .features = embedding("xxxxx")});
  ASSERT_TRUE(need) << need.error().detail;
  EXPECT_NEAR(*need, 1 - asked("xxxxx").decisions.at(0).score.value_or(-1), 0.02)
      << "but for the bytes of the file";
  EXPECT_THAT(router->need({.prompt = "x", .features = {1}}).error().detail,
              HasSubstr("1 features of each prompt, and the router reads 2"));
}

TEST_F(EmbeddingRouterTest, WhatTheEmbedderCannotTakeGoesToLarge) {
  const Receipt receipt = asked(std::string(500, 'x'));
  EXPECT_EQ(receipt.decisions.at(0).choice, "large");
  EXPECT_THAT(receipt.decisions.at(0).reason, HasSubstr("cannot take the prompt"));
}

TEST_F(EmbeddingRouterTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(error(), "");
  std::ofstream(gguf_) << "other weights";
  EXPECT_THAT(error(), HasSubstr("was trained on embeddings of another model"));
  std::ofstream(gguf_) << "weights";
  options_.answerers["embedder"] = std::make_shared<ScriptedModel>(
      "cloud", std::vector<Script>{}, ScriptedModel::Traits{.local = false});
  EXPECT_THAT(error(), HasSubstr("`embedder` must be a local model"));
  options_.answerers.erase("embedder");
  EXPECT_THAT(error(), HasSubstr("embedder: missing"));
  options_.answerers["embedder"] = embedder_;
  std::erase_if(file_.tables, [](const Table& table) { return table.name == "scale"; });
  EXPECT_THAT(error(), HasSubstr("has no table `scale`"));
  file_.origin.embedder_hash.clear();
  EXPECT_THAT(error(), HasSubstr("was trained without an embedder"));
}

TEST_F(EmbeddingRouterTest, EveryExampleNeedsItsEmbedding) {
  auto examples = teaching();
  examples[7].features.pop_back();
  const auto trained = train_router(examples, {.kind = RouterKind::knn, .embedder_hash = "abc"});
  EXPECT_THAT(trained.error().detail, HasSubstr("example 8 has no embedding of 2 finite numbers"));
}

}  // namespace
}  // namespace lichen::mechanisms
