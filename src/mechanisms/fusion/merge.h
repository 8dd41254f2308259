// `lichen merge`: one model out of several of one architecture, GGUF to GGUF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "lichen/result.h"
#include "mechanisms/fusion/merge_recipe.h"
#include "mechanisms/fusion/provenance.h"

namespace lichen::mechanisms {

struct MergeOptions {
  std::filesystem::path output;
  /// Of all matrices that may be quantized; null: each tensor keeps the base's.
  const model::gguf::TensorType* type = nullptr;
  int threads = 1;
  std::stop_token stop = {};
  std::function<void(double)> progress = [](double) {};  // share that is done; from any thread
};

struct MergeReport {
  std::string architecture;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t changed = 0;                        // parameters in rows that are not the base's
  std::uint64_t bytes = 0;                          // of the output
  std::map<std::string, std::uint64_t> types = {};  // of the output's tensors: how many of each
  std::vector<SourceIdentity> sources = {};
};

/// Blocks until the output is whole and on the disk. Nothing is left of it otherwise, and a file
/// that was there stays. `bad_model` where inputs are damaged or do not fit together, `bad_config`
/// where the recipe's numbers cannot work, `bad_request` where the output cannot be that file,
/// `storage` where it cannot be written, `cancelled` when stopped.
Result<MergeReport> merge_models(const MergeRecipe& recipe, const MergeOptions& options);

}  // namespace lichen::mechanisms
