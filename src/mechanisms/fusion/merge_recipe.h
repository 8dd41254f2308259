// What `lichen merge` is to do: the method, its models and numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

enum class MergeMethod : std::uint8_t {
  linear,
  slerp,
  task_arithmetic,
  ties,
  dare_linear,
  dare_ties,
  della_linear,
  della,
  lora,
};

enum class Thinning : std::uint8_t { none, trim, drop, mag_prune };

/// What is true of a method. Those with a base add up task vectors: thinned, and with their signs
/// elected or not.
struct MethodFacts {
  MergeMethod method;
  std::string_view name;
  std::string_view summary;
  bool base = false;  // there is one beside the models
  Thinning thinning = Thinning::none;
  bool elects = false;
  bool normalizes = false;  // weights are divided by their sum, unless the recipe says otherwise

  bool random() const { return thinning == Thinning::drop || thinning == Thinning::mag_prune; }
};

std::span<const MethodFacts> merge_methods();
const MethodFacts& facts(MergeMethod method);

/// A number that may differ from tensor to tensor: by the tensor's name, and along the layers.
class TensorNumber {
 public:
  struct Rule {
    std::string tensors = "*";         // a glob (*, ?, [a-z]) that the whole name must fit
    std::vector<double> values = {1};  // along the layers, evenly spread, straight lines between
    std::string place = {};            // where it is written, for messages: "recipe.yaml:7:3"
  };

  TensorNumber(double everywhere);
  /// The first rule that fits counts; the last one must fit all.
  explicit TensorNumber(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  /// What is before the layers (embeddings) takes their first value, what comes after them
  /// ("output...") the last.
  double at(std::string_view tensor, std::uint32_t layers) const;
  const Rule& rule_for(std::string_view tensor) const;
  std::span<const Rule> rules() const { return rules_; }

 private:
  std::vector<Rule> rules_;
};

/// A model to be merged, or an adapter.
struct MergeSource {
  std::filesystem::path gguf;
  TensorNumber weight = 1;
  TensorNumber density = 1;
  TensorNumber epsilon = 0;
};

struct MergeRecipe {
  std::filesystem::path file;  // for messages
  MergeMethod method = MergeMethod::linear;
  std::string name = {};                           // general.name; empty: the output's file name
  std::optional<std::filesystem::path> base = {};  // of methods that have one
  std::vector<MergeSource> models = {};            // of `lora`: the adapters
  TensorNumber t = 0.5;                            // of `slerp`
  double lambda = 1;                               // by which merged task vectors are multiplied
  bool normalize = true;
  std::uint64_t seed = 1;
};

}  // namespace lichen::mechanisms
