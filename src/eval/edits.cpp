#include "eval/edits.h"

namespace lichen::eval {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<std::string> apply_edits(std::string_view draft, std::string_view edits) {
  constexpr std::string_view kArrow = "=>";
  std::string mended(draft);
  edits = trimmed(edits);
  if (edits.empty() || edits == "OK" || edits == "OK.") return mended;
  while (!edits.empty()) {
    const auto end = edits.find('\n');
    const auto line = trimmed(edits.substr(0, end));
    edits.remove_prefix(end == std::string_view::npos ? edits.size() : end + 1);
    if (line.empty()) continue;
    const auto arrow = line.find(kArrow);
    if (arrow == std::string_view::npos) {
      return fail(Errc::bad_request, "no edit, which would be old => new: " + std::string(line));
    }
    const auto old = trimmed(line.substr(0, arrow));
    const auto fresh = trimmed(line.substr(arrow + kArrow.size()));
    const auto at = old.empty() ? std::string::npos : mended.find(old);
    if (at == std::string::npos) {
      return fail(Errc::bad_request, "not in the draft: " + std::string(old));
    }
    if (mended.find(old, at + 1) != std::string::npos) {
      return fail(Errc::bad_request, "more than once in the draft: " + std::string(old));
    }
    mended.replace(at, old.size(), fresh);
  }
  return mended;
}

}  // namespace lichen::eval
