// Texts of tokens cut into windows that overlap, so that no token is judged at a window's edge.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lichen::mechanisms {

/// Tokens `begin` to `end` of a text; what comes of `keep_begin` to `keep_end` counts.
struct NameWindow {
  std::size_t text = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t keep_begin = 0;
  std::size_t keep_end = 0;

  bool operator==(const NameWindow&) const = default;
};

/// Windows of `size` tokens at most over texts of so many tokens; neighbours share a quarter of
/// them, of which each keeps its half. The kept parts of a text's windows are all of it, once.
/// `size` is 8 or more.
std::vector<NameWindow> name_windows(std::span<const std::size_t> token_counts, std::size_t size);

}  // namespace lichen::mechanisms
