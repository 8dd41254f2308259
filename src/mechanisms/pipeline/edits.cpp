#include "mechanisms/pipeline/edits.h"

#include <algorithm>

#include "mechanisms/answer_text.h"

namespace lichen::mechanisms {

Result<void> Mending::apply(std::string_view line) {
  constexpr std::string_view kArrow = "=>";
  line = trimmed(line);
  if (line.empty()) return {};
  const auto arrow = line.find(kArrow);
  if (arrow == std::string_view::npos) {
    return fail(Errc::bad_request, "no edit, which would be old => new: " + std::string(line));
  }
  const auto old = trimmed(line.substr(0, arrow));
  const auto fresh = trimmed(line.substr(arrow + kArrow.size()));
  const auto at = old.empty() ? std::string::npos : text_.find(old);
  if (at == std::string::npos) {
    return fail(Errc::bad_request, "not in the draft: " + std::string(old));
  }
  if (text_.find(old, at + 1) != std::string::npos) {
    return fail(Errc::bad_request, "more than once in the draft: " + std::string(old));
  }
  text_.replace(at, old.size(), fresh);
  const auto from = fresh_.begin() + static_cast<std::ptrdiff_t>(at);
  const auto behind = fresh_.erase(from, from + static_cast<std::ptrdiff_t>(old.size()));
  fresh_.insert(behind, fresh.size(), true);
  return {};
}

void Mending::truncate(std::size_t size) {
  text_.resize(std::min(size, text_.size()));
  fresh_.resize(text_.size());
}

std::vector<Mending::Run> Mending::runs() const {
  std::vector<Run> runs;
  for (const bool fresh : fresh_) {
    if (runs.empty() || runs.back().fresh != fresh) runs.push_back({.fresh = fresh});
    ++runs.back().bytes;
  }
  return runs;
}

bool says_ok(std::string_view reply) {
  reply = trimmed(reply);
  return reply == "OK" || reply == "OK.";
}

Result<std::string> apply_edits(std::string_view draft, std::string_view edits) {
  Mending mending(draft);
  if (says_ok(edits)) return mending.text();
  while (!edits.empty()) {
    const auto end = edits.find('\n');
    const Result<void> applied = mending.apply(edits.substr(0, end));
    if (!applied) return std::unexpected(applied.error());
    edits.remove_prefix(end == std::string_view::npos ? edits.size() : end + 1);
  }
  return mending.text();
}

}  // namespace lichen::mechanisms
