// From probabilities of labels for tokens to names in a text.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "privacy/kind.h"

namespace lichen::mechanisms {

/// What a model's labels mean: "O" first, then "B-KIND" for a name's first token and "I-KIND" for
/// later ones, in any order.
class NameLabels {
 public:
  /// `bad_model` says which label is not understood, or missing.
  static Result<NameLabels> make(std::span<const std::string> labels);

  std::size_t size() const { return labels_.size(); }

  /// Names in `text`. `ends`: where each token ends, in bytes. `probabilities`: a row of `size()`
  /// for each token. Names consist of whole words, in scripts without blanks of whole characters; a
  /// word is part of one where its tokens are so with a probability of `threshold` or more, on
  /// average. It goes on with the name in front where "I-" labels of its first token are likelier
  /// than "B-" labels, and the name's kind is the likeliest of all of its words together. In order,
  /// none overlapping.
  std::vector<privacy::Span> names(std::string_view text, std::span<const std::size_t> ends,
                                   std::span<const float> probabilities, float threshold) const;

 private:
  struct Label {
    privacy::Kind kind = privacy::Kind::other;
    bool begins = false;
  };
  NameLabels() = default;

  std::vector<std::optional<Label>> labels_;  // none: no name
};

}  // namespace lichen::mechanisms
