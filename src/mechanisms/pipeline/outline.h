// The points of an answer, read out of what a model says while it says it (prompts/outline.txt).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

/// One point a line; bullets and numbers before them, empty lines and headings ("Points:") are left
/// out.
class Outline {
 public:
  static constexpr std::size_t kLongestPoint = 100;  // bytes: a few words each

  explicit Outline(std::size_t most) : most_(most) {}

  /// The next bytes of the text; points are added where their lines are complete. `bad_request`:
  /// this is no outline, and no more need be read. Its line is too long, one stands there twice, or
  /// there are more than `most`.
  Result<void> take(std::string_view text);
  /// No more will come. Also `bad_request`: there are fewer than two points, so there is nothing to
  /// write side by side.
  Result<void> finish();

  const std::vector<std::string>& points() const { return points_; }
  /// The first `count` of them, one a line, as prompts/expand.txt has them.
  std::string text(std::size_t count) const;

 private:
  Result<void> add(std::string_view line);

  const std::size_t most_;
  std::string line_;  // that is not complete
  std::vector<std::string> points_;
};

}  // namespace lichen::mechanisms
