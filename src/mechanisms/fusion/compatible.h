// Whether models can be merged: same architecture, vocabulary, hyperparameters and tensors.
#pragma once

#include "lichen/result.h"
#include "model/weights_file.h"

namespace lichen::mechanisms {

/// `bad_model` with the first difference, by name. How long a context the models were trained for
/// may differ, and so may everything that doesn't enter the computation (names, chat template).
Result<void> check_same_kind(const model::WeightsFile& base, const model::WeightsFile& other);

/// Whether a LoRA adapter is one of this base: each of its pairs has a matrix there that it fits.
Result<void> check_adapter(const model::WeightsFile& base, const model::WeightsFile& adapter);

/// The pair of a LoRA adapter for one tensor of its base; null without.
struct AdapterPair {
  const model::gguf::Tensor* a = nullptr;
  const model::gguf::Tensor* b = nullptr;

  explicit operator bool() const { return a != nullptr; }
};
AdapterPair adapter_pair(const model::WeightsFile& adapter, std::string_view tensor);

/// An embedding is looked up by token, so its pair is turned: A has a row for each token, and B
/// one for each column.
bool turned_pair(std::string_view tensor);

}  // namespace lichen::mechanisms
