// A fuzzer's bytes, taken apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace lichen::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Hands `text` to `take` in pieces whose sizes come from its own bytes, the same each time.
template <class Take>
void in_pieces(std::string_view text, Take take) {
  std::size_t seed = text.size();
  while (!text.empty()) {
    seed = seed * 31 + static_cast<unsigned char>(text.front());
    const std::size_t size = std::min<std::size_t>(text.size(), seed % 9 + 1);
    take(text.substr(0, size));
    text.remove_prefix(size);
  }
}

/// Ends the process where what must hold does not.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace lichen::fuzz
