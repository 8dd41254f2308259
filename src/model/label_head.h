// The linear layer by which a token encoder's states become labels, as it stands in the encoder's
// GGUF file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::model {

/// Of a state h, label i has the logit weights[i] . h + bias[i].
struct LabelHead {
  std::vector<std::string> labels = {};  // lichen.names.labels: "O", "B-PERSON", "I-PERSON", ...
  std::vector<float> weights = {};       // lichen.names.head: a row of `width` for each label
  std::vector<float> bias = {};          // lichen.names.bias
  int width = 0;                         // of a state
  int window = 0;         // lichen.names.window: tokens of the longest text in training
  float threshold = 0.5;  // lichen.names.threshold: probability of any label but the first
};

/// `bad_model` names the file and the key that is missing or does not fit.
Result<LabelHead> read_label_head(const std::filesystem::path& gguf);

}  // namespace lichen::model
