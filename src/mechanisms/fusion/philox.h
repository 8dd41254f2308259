// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): random
// words as a function of where they are, so that each thread draws its own part of one sequence.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace lichen::mechanisms {

/// Four words for one counter.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key);

/// One of 2^64 independent sequences of 2^66 words.
struct RandomSequence {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  /// Words `first`, `first` + 1, ... of the sequence.
  void draw(std::uint64_t first, std::span<std::uint32_t> words) const;
};

}  // namespace lichen::mechanisms
