#include "mechanisms/privacy/name_windows.h"

#include <algorithm>

namespace lichen::mechanisms {

std::vector<NameWindow> name_windows(std::span<const std::size_t> token_counts, std::size_t size) {
  const std::size_t margin = size / 8;
  std::vector<NameWindow> windows;
  for (std::size_t text = 0; text < token_counts.size(); ++text) {
    const std::size_t count = token_counts[text];
    for (std::size_t kept = 0; kept < count;) {
      NameWindow window{.text = text, .keep_begin = kept};
      window.begin = kept < margin ? 0 : kept - margin;
      window.end = std::min(count, window.begin + size);
      window.keep_end = window.end == count ? count : window.end - margin;
      kept = window.keep_end;
      windows.push_back(window);
    }
  }
  return windows;
}

}  // namespace lichen::mechanisms
