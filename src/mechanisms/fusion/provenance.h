// Where a merged model comes from, written into its metadata.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "mechanisms/fusion/merge_plan.h"
#include "mechanisms/fusion/merge_recipe.h"
#include "model/gguf/metadata.h"

namespace lichen::mechanisms {

/// Which files a model of a recipe was: name without folders, and base::file_identity, of each
/// part.
struct SourceIdentity {
  std::vector<std::pair<std::string, std::string>> files;
};
Result<std::vector<SourceIdentity>> identify(const MergeInputs& inputs);

/// The recipe with all its numbers, and which files it was done with; without folders and times, so
/// that the same merge gives the same bytes.
boost::json::object recipe_json(const MergeRecipe& recipe,
                                const std::vector<SourceIdentity>& sources);

/// The base's metadata as the output has them: general.name, general.base_model.*, the whole recipe
/// under lichen.merge.recipe, and nothing that was true of the base's file alone. `name` is for
/// recipes that give none.
model::gguf::Metadata merged_metadata(const MergeRecipe& recipe, const MergeInputs& inputs,
                                      const MergePlan& plan,
                                      const std::vector<SourceIdentity>& sources,
                                      const std::string& name);

}  // namespace lichen::mechanisms
