#include "policy/merge_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "policy/marked_yaml.h"

namespace lichen::policy {
namespace {

using mechanisms::MergeMethod;
using mechanisms::MergeRecipe;
using testing::HasSubstr;
using testing::StartsWith;

MergeRecipe parse(const std::string& yaml) {
  const auto recipe = parse_merge_recipe(yaml, "/recipes/r.yaml");
  EXPECT_TRUE(recipe) << recipe.error().detail;
  return recipe ? *recipe : MergeRecipe{};
}

/// What is wrong, without the place, which must be that of the ^.
std::string problem(const std::string& marked) {
  const MarkedYaml yaml = read_marked(marked);
  const auto recipe = parse_merge_recipe(yaml.yaml, "r.yaml");
  if (recipe) return "no error";
  EXPECT_EQ(recipe.error().code, Errc::bad_config);
  const std::string place = "r.yaml:" + yaml.place;
  EXPECT_THAT(recipe.error().detail, StartsWith(place));
  return recipe.error().detail.substr(std::min(place.size(), recipe.error().detail.size()));
}

TEST(MergeRecipe, ReadsEverything) {
  const MergeRecipe recipe = parse(R"(
method: della
name: mine
base: ../base.gguf
models:
  - {gguf: a.gguf, weight: 0.25, density: 0.5, epsilon: 0.1}
  - gguf: /abs/b.gguf
    weight: [0, 1.5]
    density: [{tensors: "blk.*.attn_*", value: [0.1, 0.2]}, {value: 0.9}]
    epsilon: 0.05
lambda: 1.5
normalize: false
seed: 42
)");
  EXPECT_EQ(recipe.method, MergeMethod::della);
  EXPECT_EQ(recipe.name, "mine");
  EXPECT_EQ(recipe.base, "/base.gguf");
  ASSERT_EQ(recipe.models.size(), 2U);
  EXPECT_EQ(recipe.models[0].gguf, "/recipes/a.gguf");
  EXPECT_EQ(recipe.models[0].weight.at("any", 1), 0.25);
  EXPECT_EQ(recipe.models[0].epsilon.at("any", 1), 0.1);
  EXPECT_EQ(recipe.models[1].gguf, "/abs/b.gguf");
  EXPECT_EQ(recipe.models[1].weight.at("blk.2.ffn_up.weight", 3), 1.5);
  EXPECT_EQ(recipe.models[1].density.at("blk.0.attn_q.weight", 2), 0.1);
  EXPECT_EQ(recipe.models[1].density.at("blk.0.ffn_up.weight", 2), 0.9);
  EXPECT_EQ(recipe.models[1].density.rules()[0].place, "/recipes/r.yaml:9:25");
  EXPECT_EQ(recipe.lambda, 1.5);
  EXPECT_FALSE(recipe.normalize);
  EXPECT_EQ(recipe.seed, 42U);
}

TEST(MergeRecipe, HasTheDefaultsOfItsMethod) {
  EXPECT_TRUE(parse("method: linear\nmodels: [{gguf: a}, {gguf: b}]").normalize);
  EXPECT_FALSE(parse("method: linear\nmodels: [{gguf: a}, {gguf: b}]").base);
  EXPECT_FALSE(parse("method: task_arithmetic\nbase: b\nmodels: [{gguf: a}]").normalize);
  EXPECT_TRUE(parse("method: ties\nbase: b\nmodels: [{gguf: a, density: 0.2}]").normalize);
  EXPECT_EQ(parse("method: slerp\nt: [0, 0.5]\nmodels: [{gguf: a}, {gguf: b}]").t.rules()[0].values,
            (std::vector<double>{0, 0.5}));
  EXPECT_EQ(parse("method: lora\nbase: b\nadapters: [{gguf: a, weight: 0.5}]").models.size(), 1U);
}

TEST(MergeRecipe, SaysWhatIsWrongWithTheMethod) {
  EXPECT_EQ(problem("^models: []\n"), "a recipe needs `method`");
  EXPECT_THAT(problem("^method: tie\n"),
              StartsWith("there is no method `tie` (did you mean `ties`?)"
                         "; there are `linear`, `slerp`, "));
  EXPECT_EQ(problem("^method: ties\nmodels: [{gguf: a, density: 1}]\n"), "a recipe needs `base`");
  EXPECT_THAT(problem("method: linear\n^base: a\nmodels: [{gguf: a}]\n"),
              StartsWith("`base` is for `task_arithmetic`, `ties`, "));
  EXPECT_EQ(problem("method: ties\nbase: b\nmodels:\n  - {gguf: a, density: 1}\n^seed: 3\n"),
            "`seed` is for `dare_linear`, `dare_ties`, `della_linear`, `della`; this recipe's "
            "method is `ties`");
  EXPECT_THAT(problem("method: linear\nmodels: [{gguf: a, ^density: 1}]\n"),
              HasSubstr("`density` is for `ties`, "));
  EXPECT_EQ(problem("method: ties\nbase: b\nmodels:\n  - ^{gguf: a}\n"), "a model needs `density`");
  EXPECT_EQ(problem("^method: slerp\nmodels: [{gguf: a}, {gguf: b}]\n"), "a recipe needs `t`");
  EXPECT_THAT(problem("method: slerp\nt: 0.5\nmodels: [{gguf: a, ^weight: 1}, {gguf: b}]\n"),
              StartsWith("`weight` is for `linear`, "));
  EXPECT_THAT(problem("method: slerp\nt: 0.5\n^models: [{gguf: a}]\n"),
              HasSubstr("goes from one model to another; here are 1"));
  EXPECT_THAT(problem("method: lora\nbase: b\n^models: [{gguf: a}]\n"), HasSubstr("`adapters`"));
  EXPECT_THAT(problem("method: linear\n^adapters: [{gguf: a}]\n"), HasSubstr("`models`"));
}

TEST(MergeRecipe, SaysWhichValueIsWrong) {
  const std::string head = "method: linear\nmodels:\n  - {gguf: a, weight: ";
  EXPECT_EQ(problem(head + "^much}\n"), "`weight` must be a number from -1000 to 1000, not `much`");
  EXPECT_EQ(problem(head + "[1, ^x]}\n"), "this must be a number from -1000 to 1000, not `x`");
  EXPECT_EQ(problem(head + "^[]}\n"), "a list of no values");
  EXPECT_EQ(problem(head + "[{tensors: \"a*\", value: 1}, {^tensors: b, value: 1}]}\n"),
            "the last rule must have no `tensors`: it is for all others");
  EXPECT_THAT(problem(head + "[^{value: 1}, {value: 1}]}\n"),
              StartsWith("only the last rule has no `tensors`"));
  EXPECT_EQ(problem(head + "[^{tensors: a}, {value: 1}]}\n"), "a rule for tensors needs `value`");
  EXPECT_THAT(problem("method: linear\nmodels:\n  - {gguf: a, ^wieght: 1}\n"),
              StartsWith("a model has no key `wieght` (did you mean `weight`?)"));
  EXPECT_THAT(problem("method: linear\nmodels: [{gguf: a}]\n^sed: 1\n"),
              StartsWith("a recipe has no key `sed`"));
  EXPECT_THAT(problem("method: linear\n^models: a\n"), StartsWith("`models` must be a list"));
  EXPECT_THAT(problem("method: linear\n^models: []\n"), StartsWith("`models` must be 1 to 64"));
}

TEST(MergeRecipe, ReadsTheExample) {
  const auto recipe = load_merge_recipe(LICHEN_SOURCE_DIR "/examples/merge.yaml");
  ASSERT_TRUE(recipe) << recipe.error().detail;
  EXPECT_EQ(recipe->method, MergeMethod::task_arithmetic);
  EXPECT_EQ(recipe->models.size(), 2U);
}

TEST(MergeRecipe, MustBeThere) {
  EXPECT_EQ(load_merge_recipe("/nowhere/r.yaml").error().code, Errc::not_found);
  EXPECT_EQ(load_merge_recipe("/").error().detail, "/ is a folder, not a recipe file");
}

}  // namespace
}  // namespace lichen::policy
