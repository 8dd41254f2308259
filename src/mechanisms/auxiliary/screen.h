// Asks a model whether a text is one that must not pass: an injected order or a harmful wish on its
// way in, a secret or harmful help on its way out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

enum class Side : std::uint8_t { input, output };

std::string_view to_string(Side side);

/// Safe to use from any thread.
class Screen {
 public:
  static constexpr std::size_t kUsualWindow = 400;
  static constexpr std::size_t kLeastWindow = 64;

  /// `judge` is asked by prompts/guard_input.txt and guard_output.txt, about at most `window` bytes
  /// at a time.
  Screen(AnswererPtr judge, std::size_t window) : judge_(std::move(judge)), window_(window) {}

  std::size_t window() const { return window_; }

  /// The probability that `text` must not pass: the largest over its windows, which are judged side
  /// by side. 0 of an empty text. Fails as the judge does, whatever the other windows are. Adds
  /// steps with the role "guard".
  awaitable<Result<double>> risk(Side side, std::string text, Turn& turn) const;

 private:
  const AnswererPtr judge_;
  const std::size_t window_;
};

}  // namespace lichen::mechanisms
