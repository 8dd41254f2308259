#include "policy/cost_bound.h"

#include <gtest/gtest.h>

namespace lichen::policy {
namespace {

TEST(CostBoundTest, AddsUpTheDearestPricesOfAPlansModels) {
  const Result<Config> config = parse_config(
      "models:\n"
      "  free: {gguf: f.gguf}\n"
      "  own:\n"
      "    gguf: o.gguf\n"
      "    price: {input: 1, output: 2}\n"
      "    adapters: [{name: sql, gguf: a.gguf}]\n"
      "  far:\n"
      "    model: m\n"
      "    price: {input: 4, output: 8}\n"
      "    urls:\n"
      "      - http://a/v1\n"
      "      - {url: http://b/v1, price: {input: 10, output: 20}}\n"
      "plans:\n"
      "  inner: {fallback: {of: [far, own]}}\n"
      "  adapted: {cascade: {small: own+sql, large: far}}\n"
      "  outer: {cascade: {small: own, large: inner}}\n",
      "f.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const auto usd = [&](std::string_view name) { return cost_bound(*config, name, 1'000, 100); };
  EXPECT_DOUBLE_EQ(usd("free"), 0);
  EXPECT_DOUBLE_EQ(usd("own"), 0.0012);
  EXPECT_DOUBLE_EQ(usd("own+sql"), 0.0012);
  EXPECT_DOUBLE_EQ(usd("own+other"), 0);
  EXPECT_DOUBLE_EQ(usd("far"), 0.012);
  EXPECT_DOUBLE_EQ(usd("adapted"), 0.0132);
  EXPECT_DOUBLE_EQ(usd("inner"), 0.0132);
  EXPECT_DOUBLE_EQ(usd("outer"), 0.0132);  // each model once
  EXPECT_DOUBLE_EQ(usd("unknown"), 0);
}

}  // namespace
}  // namespace lichen::policy
