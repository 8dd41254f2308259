#include "policy/merge_recipe.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/fields.h"
#include "policy/nearest.h"
#include "policy/yaml.h"

namespace lichen::policy {
namespace {

using mechanisms::MergeMethod;
using mechanisms::MergeRecipe;
using mechanisms::MergeSource;
using mechanisms::MethodFacts;
using mechanisms::TensorNumber;
using mechanisms::Thinning;
using std::filesystem::path;

constexpr std::size_t kMaxModels = 64;
constexpr double kMaxWeight = 1'000;

struct Bounds {
  double least = 0;
  double most = 1;
};

std::string place_of(const path& file, const YamlNode& node) {
  return fmt::format("{}:{}:{}", file.string(), node.line, node.column);
}

/// One number, or a list of them along the layers.
Result<TensorNumber::Rule> read_values(const path& file, const YamlNode& node, Bounds bounds) {
  TensorNumber::Rule rule{.values = {}, .place = place_of(file, node)};
  if (!node.is(YamlNode::Kind::sequence)) {
    auto number = read_number(file, node, bounds.least, bounds.most);
    if (!number) return std::unexpected(number.error());
    rule.values.push_back(*number);
    return rule;
  }
  for (const YamlNode& item : node.items) {
    auto number = read_number(file, item, bounds.least, bounds.most);
    if (!number) return std::unexpected(number.error());
    rule.values.push_back(*number);
  }
  if (!rule.values.empty()) return rule;
  return std::unexpected(yaml_error(file, node.line, node.column, "a list of no values"));
}

/// {tensors: "blk.*.attn_*", value: 0.5}
Result<TensorNumber::Rule> read_rule(const path& file, const YamlNode& node, bool last,
                                     Bounds bounds) {
  Fields fields(file, node, "a rule for tensors");
  std::string tensors;
  fields.read("tensors", tensors);
  fields.require({"value"});
  const YamlNode* value = fields.find("value");
  if (!fields.failed() && last == fields.has("tensors")) {
    fields.fail("tensors", last ? "the last rule must have no `tensors`: it is for all others"
                                : "only the last rule has no `tensors`: this one is for all, so "
                                  "what follows would never count");
  }
  if (auto error = fields.finish()) return std::unexpected(*std::move(error));
  auto rule = read_values(file, *value, bounds);
  if (rule && !last) {
    rule->tensors = tensors;
    rule->place = place_of(file, *node.find("tensors"));
  }
  return rule;
}

void read_tensor_number(Fields& fields, const path& file, std::string_view key,
                        TensorNumber& number, Bounds bounds) {
  const YamlNode* node = fields.find(key);
  if (node == nullptr || fields.failed()) return;
  const bool by_tensor = node->is(YamlNode::Kind::sequence) && !node->items.empty() &&
                         node->items.front().is(YamlNode::Kind::map);
  std::vector<TensorNumber::Rule> rules;
  const std::size_t count = by_tensor ? node->items.size() : 1;
  for (std::size_t i = 0; i < count; ++i) {
    auto rule = by_tensor ? read_rule(file, node->items[i], i + 1 == count, bounds)
                          : read_values(file, *node, bounds);
    if (!rule) return fields.fail(std::move(rule).error());
    rules.push_back(*std::move(rule));
  }
  number = TensorNumber(std::move(rules));
}

/// "`ties`, `dare_ties`", those for which `known` holds.
std::string methods_with(bool (*known)(const MethodFacts&)) {
  std::vector<std::string> names;
  for (const MethodFacts& method : mechanisms::merge_methods()) {
    if (known(method)) names.emplace_back(method.name);
  }
  return list(names);
}

bool takes_density(const MethodFacts& method) { return method.thinning != Thinning::none; }
bool takes_epsilon(const MethodFacts& method) { return method.thinning == Thinning::mag_prune; }
bool takes_seed(const MethodFacts& method) { return method.random(); }
bool takes_weight(const MethodFacts& method) { return method.method != MergeMethod::slerp; }
bool takes_t(const MethodFacts& method) { return method.method == MergeMethod::slerp; }
bool takes_normalize(const MethodFacts& method) {
  return takes_weight(method) && method.method != MergeMethod::lora;
}
bool takes_lambda(const MethodFacts& method) {
  return method.base && method.method != MergeMethod::lora;
}
bool takes_base(const MethodFacts& method) { return method.base; }

void refuse_unless(Fields& fields, std::string_view key, const MethodFacts& method,
                   bool (*known)(const MethodFacts&)) {
  if (known(method)) return;
  fields.refuse({key}, fmt::format("is for {}; this recipe's method is `{}`", methods_with(known),
                                   method.name));
}

Result<MergeSource> read_source(const path& file, const YamlNode& node, const MethodFacts& method) {
  MergeSource source;
  std::string gguf;
  Fields fields(file, node, "a model");
  fields.read("gguf", gguf);
  fields.require({"gguf"});
  refuse_unless(fields, "weight", method, takes_weight);
  refuse_unless(fields, "density", method, takes_density);
  refuse_unless(fields, "epsilon", method, takes_epsilon);
  if (takes_epsilon(method)) {
    fields.require({"density", "epsilon"});
  } else if (takes_density(method)) {
    fields.require({"density"});
  }
  read_tensor_number(fields, file, "weight", source.weight, {-kMaxWeight, kMaxWeight});
  read_tensor_number(fields, file, "density", source.density, {0, 1});
  read_tensor_number(fields, file, "epsilon", source.epsilon, {0, 1});
  if (auto error = fields.finish()) return std::unexpected(*std::move(error));
  source.gguf = (file.parent_path() / gguf).lexically_normal();
  return source;
}

void read_sources(Fields& fields, const path& file, const MethodFacts& method,
                  std::vector<MergeSource>& sources) {
  const bool lora = method.method == MergeMethod::lora;
  const std::string_view key = lora ? "adapters" : "models";
  fields.refuse({lora ? "models" : "adapters"},
                lora ? "is for other methods: name what goes into the base in `adapters`"
                     : "is for `lora`: name what is merged in `models`");
  fields.require({key});
  const YamlNode* node = fields.find(key);
  if (fields.failed()) return;
  if (!node->is(YamlNode::Kind::sequence)) {
    return fields.fail(key, fmt::format("`{}` must be a list of {{gguf: FILE, ...}}", key));
  }
  for (const YamlNode& item : node->items) {
    auto source = read_source(file, item, method);
    if (!source) return fields.fail(std::move(source).error());
    sources.push_back(*std::move(source));
  }
  const bool two = method.method == MergeMethod::slerp;
  const std::size_t least = two ? 2 : 1, most = two ? 2 : kMaxModels;
  if (sources.size() >= least && sources.size() <= most) return;
  fields.fail(key, two ? fmt::format("`slerp` goes from one model to another; here are {}, and "
                                     "`linear` takes any number",
                                     sources.size())
                       : fmt::format("`{}` must be 1 to {} files", key, kMaxModels));
}

const MethodFacts* read_method(Fields& fields) {
  std::string name;
  fields.read("method", name);
  fields.require({"method"});
  if (fields.failed()) return nullptr;
  const auto methods = mechanisms::merge_methods();
  const auto found = std::ranges::find(methods, name, &MethodFacts::name);
  if (found != methods.end()) return &*found;
  std::vector<std::string> names;
  for (const MethodFacts& method : methods) names.emplace_back(method.name);
  fields.fail("method", fmt::format("there is no method `{}`{}; there are {}", name,
                                    did_you_mean(name, names), list(names)));
  return nullptr;
}

void read_base(Fields& fields, const path& file, const MethodFacts& method, MergeRecipe& recipe) {
  refuse_unless(fields, "base", method, takes_base);
  if (!takes_base(method)) return;
  std::string base;
  fields.read("base", base);
  fields.require({"base"});
  recipe.base = (file.parent_path() / base).lexically_normal();
}

}  // namespace

Result<MergeRecipe> parse_merge_recipe(const std::string& yaml, const path& file) {
  Result<YamlNode> root = parse_yaml(yaml, file);
  if (!root) return std::unexpected(std::move(root).error());
  MergeRecipe recipe;
  recipe.file = file;
  Fields fields(file, *root, "a recipe");
  const MethodFacts* method = read_method(fields);
  if (method == nullptr) return std::unexpected(*fields.error());
  recipe.method = method->method;
  recipe.normalize = method->normalizes;
  fields.read("name", recipe.name);
  read_base(fields, file, *method, recipe);
  read_sources(fields, file, *method, recipe.models);
  refuse_unless(fields, "t", *method, takes_t);
  if (takes_t(*method)) fields.require({"t"});
  read_tensor_number(fields, file, "t", recipe.t, {0, 1});
  refuse_unless(fields, "lambda", *method, takes_lambda);
  fields.read("lambda", recipe.lambda, -kMaxWeight, kMaxWeight);
  refuse_unless(fields, "normalize", *method, takes_normalize);
  fields.read("normalize", recipe.normalize);
  refuse_unless(fields, "seed", *method, takes_seed);
  fields.read("seed", recipe.seed, 0, INT64_MAX);
  if (auto error = fields.finish()) return std::unexpected(*std::move(error));
  return recipe;
}

Result<MergeRecipe> load_merge_recipe(const path& file) {
  Result<std::string> yaml = read_yaml_file(file, "recipe");
  if (!yaml) return std::unexpected(yaml.error());
  return parse_merge_recipe(*yaml, file);
}

}  // namespace lichen::policy
