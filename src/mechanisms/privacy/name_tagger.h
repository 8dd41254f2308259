// Finds names by a token encoder with a linear head over labels (models/recipe/names).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mechanisms/privacy/name_finder.h"
#include "mechanisms/privacy/name_labels.h"
#include "model/label_head.h"
#include "model/lane.h"
#include "model/token_encoder.h"

namespace lichen::mechanisms {

struct NameTaggerOptions {
  std::filesystem::path gguf = {};
  /// A word is a name's from this probability on, 0 to 1: lower finds more and masks more of what
  /// is none. 0: what the file says.
  float threshold = 0;
};

/// Immutable once open. Texts of any length are read in windows, several in a pass; between passes
/// the lane's other models get their turn.
class NameTagger : public NameFinder {
 public:
  /// `bad_config`: the threshold; `bad_model`, `unsupported`: the file, with what is wrong.
  static Result<std::shared_ptr<NameTagger>> open(const NameTaggerOptions& options,
                                                  std::shared_ptr<model::Lane> lane);

  /// Kinds are those of the file's labels. Adds a step with the role "names". `bad_request`: a text
  /// is not UTF-8; `cancelled`, `deadline_exceeded`: between passes.
  awaitable<Result<std::vector<std::vector<privacy::Span>>>> find(std::vector<std::string> texts,
                                                                  Turn& turn) override;

 private:
  struct Text;
  NameTagger(std::shared_ptr<model::TokenEncoder> encoder, model::LabelHead head,
             NameLabels labels);

  Result<Text> prepare(const std::string& text, std::size_t index) const;
  void add_probabilities(std::span<const float> states, std::span<float> rows) const;

  const std::shared_ptr<model::TokenEncoder> encoder_;
  const model::LabelHead head_;
  const NameLabels labels_;
};

}  // namespace lichen::mechanisms
