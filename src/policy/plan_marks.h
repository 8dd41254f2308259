// Tells which plans of a configuration that is loaded again are the same as before.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "policy/config.h"

namespace lichen::policy {

/// "device:inode:size:time" of a file; empty where there is none.
std::string file_stamp(const std::filesystem::path& file);

/// A mark for each plan, by name: equal marks mean equal plans. It covers all plans that name each
/// other, directly or not, since what such a plan shows and learns depends on who else names it:
/// their expressions, the very models that they name, and the stamps of the files in them. Lines
/// and comments do not count. Take it before the plans are built: a file that changes meanwhile is
/// then seen the next time. `models` are those in use; a mark is good while they live.
std::map<std::string, std::string, std::less<>> plan_marks(const Config& config,
                                                           const std::vector<ModelPtr>& models);

}  // namespace lichen::policy
