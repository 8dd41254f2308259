// Edits of a text: lines "old => new". It is how a model mends a draft in a few tokens
// (prompts/refine.txt).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

/// A draft on which edits are carried out, one after the other.
class Mending {
 public:
  explicit Mending(std::string_view draft) : text_(draft), fresh_(draft.size(), false) {}

  /// One line; an empty one changes nothing. `bad_request`, and nothing is changed: it is no edit,
  /// or its old piece is not in the text exactly once.
  Result<void> apply(std::string_view line);
  /// Forgets what stands behind the first `size` bytes.
  void truncate(std::size_t size);

  const std::string& text() const { return text_; }
  /// Bytes that stand together and are all the draft's, or all the edits' (`fresh`).
  struct Run {
    bool fresh = false;
    std::size_t bytes = 0;
  };
  std::vector<Run> runs() const;

 private:
  std::string text_;
  std::vector<bool> fresh_;  // of each byte of `text_`
};

/// Whether the reply says that the draft is right: "OK".
bool says_ok(std::string_view reply);

/// `draft` with the edits carried out in their order. The reply "OK", or one without any edit,
/// changes nothing. `bad_request` as in Mending::apply.
Result<std::string> apply_edits(std::string_view draft, std::string_view edits);

}  // namespace lichen::mechanisms
