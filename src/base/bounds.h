// Bounds of options that are checked both where they are read and where they are used.
#pragma once

namespace lichen::base {

inline constexpr double kLeastRepetitionPenalty = 0.01;
inline constexpr double kMostRepetitionPenalty = 10;
inline constexpr int kMostRetries = 10;

}  // namespace lichen::base
