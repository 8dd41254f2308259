// Merging on real weights: the small one of the bundled pair.
#include "mechanisms/fusion/test_models.h"
#include "mechanisms/scripted_model.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {
namespace {

const std::filesystem::path kSmall = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";

class MergePair : public MergeTest {
 protected:
  static std::shared_ptr<model::LocalModel> open(const std::filesystem::path& gguf) {
    const auto lane = *model::open_lane({.name = "cpu", .threads = 1});
    const auto opened = model::open_local_model("merged", {.gguf = gguf, .threads = 1}, lane);
    EXPECT_TRUE(opened) << opened.error().detail;
    return *opened;
  }
  static Answer ask(model::LocalModel& model, const std::string& question) {
    Turn turn("merged");
    const auto answer = run(model.answer(
        {.messages = {{"user", question}}, .max_tokens = 24, .logprobs = true, .top_logprobs = 20},
        turn));
    EXPECT_TRUE(answer) << answer.error().detail;
    return answer ? *answer : Answer{};
  }
  static std::string answer(const std::filesystem::path& gguf, const std::string& question) {
    return ask(*open(gguf), question).text;
  }
  /// Random pairs for two of small's matrices, which change what it says.
  std::filesystem::path write_adapter() const {
    constexpr std::size_t kRank = 4;
    constexpr float kScale = 0.05F;
    TestTensors pairs;
    const auto small = model::WeightsFile::open(kSmall);
    for (const std::string matrix : {"blk.0.attn_v.weight", "blk.1.ffn_up.weight"}) {
      const auto& shape = small->find(matrix)->shape;
      pairs.push_back(
          {matrix + ".lora_a", {shape[0], kRank, 1, 1}, random_values(shape[0] * kRank, 1)});
      pairs.push_back(
          {matrix + ".lora_b", {kRank, shape[1], 1, 1}, random_values(kRank * shape[1], 2)});
      for (float& value : pairs.back().values) value *= kScale;
    }
    return write("adapter.gguf", pairs, [](model::gguf::Metadata& all) {
      all = {};
      all.set_text("general.architecture", "llama");
      all.set_text("general.type", "adapter");
      all.set_text("adapter.type", "lora");
    });
  }

  static MergeRecipe with_itself(MergeMethod method) {
    MergeRecipe recipe{.file = {}, .method = method};
    recipe.models = {{.gguf = kSmall, .weight = 0.3}, {.gguf = kSmall, .weight = 0.9}};
    return recipe;
  }
};

TEST_F(MergePair, SmallWithItselfIsItselfBitForBit) {
  for (const MergeMethod method : {MergeMethod::linear, MergeMethod::slerp}) {
    const auto report = merge(with_itself(method), "out.gguf", 2);
    ASSERT_TRUE(report) << report.error().detail;
    const auto in = model::WeightsFile::open(kSmall),
               out = model::WeightsFile::open(at("out.gguf"));
    ASSERT_TRUE(out) << out.error().detail;
    for (const auto& tensor : in->tensors()) {
      const std::string name(tensor.name);
      EXPECT_EQ(bytes_of(*out, name), bytes_of(*in, name)) << name;
    }
    EXPECT_EQ(answer(at("out.gguf"), "What is 12 + 30?"), "12 + 30 = 42");
  }
}

TEST_F(MergePair, WithAnAdapterInItABaseComputesAsLibllamaDoesBesideIt) {
  ASSERT_TRUE(merge(with_itself(MergeMethod::linear), "base.gguf", 1, "f32"));
  MergeRecipe recipe{.file = {}, .method = MergeMethod::lora};
  recipe.base = at("base.gguf");
  recipe.models.push_back({.gguf = write_adapter(), .weight = 1});
  const auto report = merge(recipe, "merged.gguf", 1, "f32");
  ASSERT_TRUE(report) << report.error().detail;

  const auto base = open(at("base.gguf")), merged = open(at("merged.gguf"));
  const auto beside = base->with_adapter({.name = "a", .gguf = at("adapter.gguf")});
  ASSERT_TRUE(beside) << beside.error().detail;
  const std::string question = "Sort these words: pear, apple, fig.";
  const Answer expected = ask(**beside, question), found = ask(*merged, question);
  EXPECT_NE(expected.text, ask(*base, question).text) << "the adapter does something";
  ASSERT_EQ(found.tokens.size(), expected.tokens.size());
  constexpr double kRounding = 2e-2;  // the KV cache is in F16, and each processor sums otherwise
  for (std::size_t i = 0; i < found.tokens.size(); ++i) {
    const auto &there = expected.tokens[i].top, &here = found.tokens[i].top;
    ASSERT_EQ(here.size(), there.size());
    for (std::size_t j = 0; j < here.size(); ++j) {
      EXPECT_NEAR(here[j].logprob, there[j].logprob, kRounding) << i << " " << j;
    }
  }
}

TEST_F(MergePair, AnswersInAnotherType) {
  ASSERT_TRUE(merge(with_itself(MergeMethod::linear), "out.gguf", 1, "f16"));
  EXPECT_EQ(answer(at("out.gguf"), "What is 12 + 30?"), "12 + 30 = 42");
}

}  // namespace
}  // namespace lichen::mechanisms
