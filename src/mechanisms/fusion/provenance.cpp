#include "mechanisms/fusion/provenance.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <utility>

#include "base/sha256.h"

namespace lichen::mechanisms {

namespace {

boost::json::value json_of(const std::vector<double>& values) {
  if (values.size() == 1) return values.front();
  return boost::json::array(values.begin(), values.end());
}

boost::json::value json_of(const TensorNumber& number) {
  if (number.rules().size() == 1) return json_of(number.rules().front().values);
  boost::json::array rules;
  for (const TensorNumber::Rule& rule : number.rules()) {
    rules.push_back(
        boost::json::object{{"tensors", rule.tensors}, {"value", json_of(rule.values)}});
  }
  return rules;
}

boost::json::array json_of(const SourceIdentity& source) {
  boost::json::array files;
  for (const auto& [name, identity] : source.files) {
    files.push_back(boost::json::object{{"name", name}, {"identity", identity}});
  }
  return files;
}

}  // namespace

Result<std::vector<SourceIdentity>> identify(const MergeInputs& inputs) {
  std::vector<SourceIdentity> sources;
  for (const model::WeightsFile& file : inputs.files) {
    SourceIdentity source;
    for (const std::filesystem::path& path : file.paths()) {
      Result<std::string> identity = base::file_identity(path);
      if (!identity) return std::unexpected(identity.error());
      source.files.emplace_back(path.filename().string(), *std::move(identity));
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

boost::json::object recipe_json(const MergeRecipe& recipe,
                                const std::vector<SourceIdentity>& sources) {
  const MethodFacts& method = facts(recipe.method);
  boost::json::object json{{"method", method.name}};
  if (recipe.base) json["base"] = json_of(sources.front());
  boost::json::array models;
  for (std::size_t i = 0; i < recipe.models.size(); ++i) {
    const MergeSource& source = recipe.models[i];
    boost::json::object model{{"files", json_of(sources[i + (recipe.base ? 1 : 0)])}};
    if (recipe.method != MergeMethod::slerp) model["weight"] = json_of(source.weight);
    if (method.thinning != Thinning::none) model["density"] = json_of(source.density);
    if (method.thinning == Thinning::mag_prune) model["epsilon"] = json_of(source.epsilon);
    models.push_back(std::move(model));
  }
  json["models"] = std::move(models);
  if (recipe.method == MergeMethod::slerp) {
    json["t"] = json_of(recipe.t);
  } else if (recipe.method != MergeMethod::lora) {
    json["normalize"] = recipe.normalize;
    if (method.base) json["lambda"] = recipe.lambda;
  }
  if (method.random()) json["seed"] = recipe.seed;
  return json;
}

model::gguf::Metadata merged_metadata(const MergeRecipe& recipe, const MergeInputs& inputs,
                                      const MergePlan& plan,
                                      const std::vector<SourceIdentity>& sources,
                                      const std::string& name) {
  auto metadata = model::gguf::Metadata::copy_of(inputs.base().header());
  for (const char* prefix : {"general.base_model.", "general.source.", "quantize.", "split."}) {
    metadata.erase_under(prefix);
  }
  for (const char* key : {"general.uuid", "general.doi", "general.url", "general.repo_url",
                          "general.quantized_by", "general.finetune"}) {
    metadata.erase(key);
  }
  metadata.set_text("general.name", recipe.name.empty() ? name : recipe.name);
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < inputs.files.size(); ++i) {
    const model::WeightsFile& file = inputs.files[i];
    if (recipe.method == MergeMethod::lora && i > 0) break;  // adapters are no models
    const std::string key = "general.base_model." + std::to_string(count++) + ".name";
    metadata.set_text(key,
                      file.info().name.empty() ? file.path().stem().string() : file.info().name);
  }
  metadata.set_u32("general.base_model.count", count);
  if (plan.type != nullptr) {
    if (const auto type = model::gguf::file_type_of(*plan.type))
      metadata.set_u32("general.file_type", *type);
    constexpr std::uint32_t kQuantizationVersion = 2;  // ggml's GGML_QNT_VERSION
    metadata.set_u32("general.quantization_version", kQuantizationVersion);
  }
  metadata.set_text("lichen.merge.recipe", boost::json::serialize(recipe_json(recipe, sources)));
  return metadata;
}

}  // namespace lichen::mechanisms
