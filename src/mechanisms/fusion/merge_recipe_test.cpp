#include "mechanisms/fusion/merge_recipe.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

TEST(TensorNumber, IsOneNumberEverywhere) {
  const TensorNumber number = 0.3;
  EXPECT_EQ(number.at("token_embd.weight", 4), 0.3);
  EXPECT_EQ(number.at("blk.3.attn_q.weight", 4), 0.3);
}

TEST(TensorNumber, ChangesAlongTheLayers) {
  const TensorNumber number({{.values = {0, 1, 0.5}}});
  EXPECT_EQ(number.at("blk.0.attn_q.weight", 5), 0);
  EXPECT_EQ(number.at("blk.1.attn_q.weight", 5), 0.5);
  EXPECT_EQ(number.at("blk.2.ffn_up.weight", 5), 1);
  EXPECT_EQ(number.at("blk.3.ffn_up.weight", 5), 0.75);
  EXPECT_EQ(number.at("blk.4.attn_q.weight", 5), 0.5);
  EXPECT_EQ(number.at("token_embd.weight", 5), 0) << "before the layers";
  EXPECT_EQ(number.at("output_norm.weight", 5), 0.5) << "after them";
  EXPECT_EQ(number.at("blk.0.attn_q.weight", 1), 0) << "one layer is the first";
  EXPECT_EQ(number.at("blk.9.attn_q.weight", 5), 0.5) << "no further than the last";
}

TEST(TensorNumber, TakesTheFirstPatternThatFits) {
  const TensorNumber number({{.tensors = "blk.*.attn_?.weight", .values = {1, 2}},
                             {.tensors = "blk.[01].*", .values = {3}},
                             {.values = {4}}});
  EXPECT_EQ(number.at("blk.1.attn_q.weight", 2), 2);
  EXPECT_EQ(number.at("blk.1.attn_output.weight", 2), 3);
  EXPECT_EQ(number.at("blk.2.ffn_up.weight", 2), 4);
  EXPECT_EQ(number.at("xblk.1.attn_q.weight", 2), 4) << "a pattern fits the whole name";
}

TEST(MergeMethods, AreFoundByThemselves) {
  for (const MethodFacts& method : merge_methods()) {
    EXPECT_EQ(&facts(method.method), &method) << method.name;
  }
}

}  // namespace
}  // namespace lichen::mechanisms
