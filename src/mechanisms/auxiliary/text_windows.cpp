#include "mechanisms/auxiliary/text_windows.h"

#include <algorithm>
#include <cassert>

#include "base/utf8.h"

namespace lichen::mechanisms {
namespace {

/// Bytes of the next stretch of `text`, from half of `most` to all of it.
std::size_t stretch(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text.size();
  const std::string_view room = text.substr(0, most);
  std::size_t blank = 0;
  for (std::size_t end = most; end > most / 2; --end) {
    const char c = room[end - 1];
    if (c == '\n') return end;
    if (c != ' ' && c != '\t') continue;
    if (blank == 0) blank = end;
    const char before = room[end - 2];
    if (before == '.' || before == '!' || before == '?') return end;
  }
  if (blank > 0) return blank;
  const std::size_t whole = base::complete_utf8_prefix(room);
  return whole > 0 ? whole : most;
}

}  // namespace

std::vector<std::string_view> windows_of(std::string_view text, std::size_t most) {
  assert(most >= 8);
  if (text.empty()) return {};
  if (text.size() <= most) return {text};
  std::vector<std::size_t> ends{0};
  while (ends.back() < text.size()) {
    ends.push_back(ends.back() + stretch(text.substr(ends.back()), most / 2));
  }
  std::vector<std::string_view> windows;
  for (std::size_t i = 2; i < ends.size(); ++i) {
    windows.push_back(text.substr(ends[i - 2], ends[i] - ends[i - 2]));
  }
  return windows;
}

}  // namespace lichen::mechanisms
