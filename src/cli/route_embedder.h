// `--embedder FILE` of `lichen route`: a model that embeds the prompts, for `knn`.
#pragma once

#include <filesystem>
#include <string>

#include "eval/route_data.h"
#include "lichen/result.h"

namespace lichen::cli {

/// Replaces the features of all examples by their prompts' embeddings. Brings back which model made
/// them (LocalModel::file_hash). `bad_request` names the first prompt that it cannot take.
Result<std::string> embed_prompts(eval::RouteData& data, const std::filesystem::path& gguf);

}  // namespace lichen::cli
