// The recipe of `lichen merge`: YAML, read and checked.
#pragma once

#include <filesystem>
#include <string>

#include "lichen/result.h"
#include "mechanisms/fusion/merge_recipe.h"

namespace lichen::policy {

/// Reads a recipe; docs/merge.md describes it. Unknown keys, wrong types, values out of range and
/// keys that the method does not know are `bad_config` with file, line and what would be right;
/// a file that is not there is `not_found`. Model files are not looked at.
Result<mechanisms::MergeRecipe> load_merge_recipe(const std::filesystem::path& file);
/// The same from memory; `file` is for messages and relative paths.
Result<mechanisms::MergeRecipe> parse_merge_recipe(const std::string& yaml,
                                                   const std::filesystem::path& file);

}  // namespace lichen::policy
