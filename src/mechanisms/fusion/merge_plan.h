// What becomes of each tensor, decided and checked before anything is written.
#pragma once

#include <vector>

#include "mechanisms/fusion/merge_recipe.h"
#include "model/weights_file.h"

namespace lichen::mechanisms {

/// The opened files of a recipe. Methods without a base take the first model for it: the output has
/// its metadata and its tensors' order and types.
struct MergeInputs {
  std::vector<model::WeightsFile> files;  // the base, where there is one, then the models

  const model::WeightsFile& base() const { return files.front(); }
};

/// `bad_model` where they do not fit together.
Result<MergeInputs> open_inputs(const MergeRecipe& recipe);

struct TensorPlan {
  const model::gguf::Tensor* base = nullptr;
  std::vector<const model::gguf::Tensor*> inputs;  // of the files in order; of adapters null
  const model::gguf::TensorType* type = nullptr;   // in the output
  // Of each model, in the recipe's order.
  std::vector<double> weights;  // normalized, where they are
  std::vector<double> densities;
  std::vector<double> epsilons;
  double t = 0;
  /// Of a type that is not converted to float: it must be the same in all models.
  bool opaque = false;
};

struct MergePlan {
  std::vector<TensorPlan> tensors;
  const model::gguf::TensorType* type = nullptr;  // asked for; null: each tensor keeps its own
};

/// `type` is the output's for all matrices that may be quantized; null keeps the base's.
/// `bad_config` with the recipe's line where numbers cannot work for a tensor, or a pattern fits
/// none.
Result<MergePlan> plan_merge(const MergeRecipe& recipe, const MergeInputs& inputs,
                             const model::gguf::TensorType* type);

/// A tensor's type when `wanted` is asked for: rows that its blocks do not fit become q8_0 or f16,
/// and what is too small or too delicate to be quantized stays as it is.
const model::gguf::TensorType& output_type(const model::gguf::Tensor& tensor,
                                           const model::gguf::TensorType& wanted);

}  // namespace lichen::mechanisms
