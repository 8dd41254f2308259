// What `auto` sees of a prompt: a few dozen numbers, so that what is learned about a plan can be
// brought up to date in microseconds. Nothing here is learned.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {

/// Part of what is kept over restarts: goes up when a sketch's numbers change their meaning.
inline constexpr int kSketchVersion = 1;
inline constexpr std::size_t kHashedNumbers = 24;
inline constexpr std::size_t kSketchSize = 1 + kSurfaceFeatures + kHashedNumbers;

/// A constant; the surface's numbers, each brought to a common size; words and pairs of words,
/// projected by random signs (Weinberger et al. 2009, arXiv 0902.2206) and scaled to one length.
/// The constant is much the largest, so that a regression learns from its first observations how
/// good a plan is on the whole, and only from many what it is good at.
using Sketch = std::array<float, kSketchSize>;

Sketch sketch_of(std::string_view prompt);

}  // namespace lichen::mechanisms
