// Adapters put into their base.
#include <gmock/gmock.h>

#include "mechanisms/fusion/test_models.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

class MergeLora : public MergeTest {
 protected:
  static constexpr std::size_t kRank = 8, kColumns = 256;

  /// An adapter for the query matrix (300 rows) and the embedding (4 tokens).
  static TestTensors pairs() {
    return {{"blk.0.attn_q.weight.lora_a",
             {kColumns, kRank, 1, 1},
             random_values(kColumns * kRank, 101)},
            {"blk.0.attn_q.weight.lora_b", {kRank, 300, 1, 1}, random_values(kRank * 300, 102)},
            {"token_embd.weight.lora_a", {kRank, 4, 1, 1}, random_values(kRank * 4, 103)},
            {"token_embd.weight.lora_b",
             {kRank, kColumns, 1, 1},
             random_values(kRank * kColumns, 104)}};
  }
  std::filesystem::path write_adapter(
      const TestTensors& tensors = pairs(),
      const EditMetadata& edit = [](model::gguf::Metadata&) {}) const {
    return write("adapter.gguf", tensors, [&](model::gguf::Metadata& all) {
      all = {};
      all.set_text("general.architecture", "llama");
      all.set_text("general.type", "adapter");
      all.set_text("adapter.type", "lora");
      edit(all);
    });
  }
  MergeRecipe recipe() const {
    MergeRecipe recipe{.file = {}, .method = MergeMethod::lora};
    recipe.base = at("base.gguf");
    recipe.models.push_back({.gguf = at("adapter.gguf"), .weight = 0.5});
    return recipe;
  }
};

TEST_F(MergeLora, AddsTheProduct) {
  const TestTensors base = tensors(1);
  write("base.gguf", base);
  const TestTensors adapter = pairs();
  write_adapter();
  const auto report = merge(recipe());
  ASSERT_TRUE(report) << report.error().detail;
  const auto query = values_of(at("out.gguf"), "blk.0.attn_q.weight");
  for (std::size_t row = 0; row < 300; ++row) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      double sum = 0;
      for (std::size_t r = 0; r < kRank; ++r) {
        sum += static_cast<double>(adapter[1].values[row * kRank + r]) *
               adapter[0].values[r * kColumns + column];
      }
      const std::size_t i = row * kColumns + column;
      ASSERT_NEAR(query[i], base[1].values[i] + 0.5 * sum, 1e-5) << i;
    }
  }
  const auto embedding = values_of(at("out.gguf"), "token_embd.weight");
  for (std::size_t i = 0; i < embedding.size(); ++i) {
    double sum = 0;
    for (std::size_t r = 0; r < kRank; ++r) {
      sum += static_cast<double>(adapter[2].values[i / kColumns * kRank + r]) *
             adapter[3].values[i % kColumns * kRank + r];
    }
    ASSERT_NEAR(embedding[i], base[0].values[i] + 0.5 * sum, 1e-5) << i;
  }
  EXPECT_EQ(values_of(at("out.gguf"), "blk.1.ffn_up.weight"), base[3].values);
  EXPECT_EQ(report->changed, 304 * kColumns);
}

TEST_F(MergeLora, RefusesWhatDoesNotFit) {
  write("base.gguf", tensors(1));
  TestTensors wide = pairs();
  wide[1].shape[1] = 299;
  wide[1].values.resize(kRank * 299);
  write_adapter(wide);
  EXPECT_THAT(refusal(recipe()).detail,
              HasSubstr("its pair for 'blk.0.attn_q.weight' makes a matrix of 256 x 299, and the "
                        "tensor is [256 x 300]"));

  TestTensors unknown = pairs();
  unknown[0].name = "blk.7.attn_q.weight.lora_a";
  unknown[1].name = "blk.7.attn_q.weight.lora_b";
  write_adapter(unknown);
  EXPECT_THAT(refusal(recipe()).detail,
              HasSubstr("there is no tensor 'blk.7.attn_q.weight' for its pair"));

  TestTensors half = pairs();
  half.erase(half.begin());
  write_adapter(half);
  EXPECT_THAT(refusal(recipe()).detail,
              HasSubstr("its pair for 'blk.0.attn_q.weight' lacks one half"));

  TestTensors norm = pairs();
  norm.push_back({"output_norm.weight", {kColumns, 1, 1, 1}, random_values(kColumns, 1)});
  write_adapter(norm);
  EXPECT_THAT(refusal(recipe()).detail, HasSubstr("has the tensor 'output_norm.weight'; only"));

  write_adapter(pairs(), [](auto& all) { all.set_text("general.architecture", "qwen2"); });
  EXPECT_THAT(refusal(recipe()).detail, HasSubstr("is for the architecture 'qwen2'"));

  write_adapter(pairs(),
                [](auto& all) { all.set_texts("adapter.alora.invocation_tokens", {"1"}); });
  EXPECT_THAT(refusal(recipe()).detail, HasSubstr("is an activated LoRA"));

  write("adapter.gguf", tensors(2));
  EXPECT_THAT(refusal(recipe()).detail, HasSubstr("is no LoRA adapter"));
}

}  // namespace
}  // namespace lichen::mechanisms
