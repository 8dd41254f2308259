#include "mechanisms/auxiliary/copy_drafter.h"

#include <algorithm>

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kKey = 3;       // tokens that a match has at least
constexpr std::size_t kLongest = 64;  // tokens of a match that are compared

}  // namespace

std::uint64_t CopyDrafter::key_at(std::size_t end) const {
  std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
  for (std::size_t i = end - kKey; i < end; ++i) {
    hash = (hash ^ static_cast<std::uint64_t>(text_[i])) * 1099511628211ULL;
  }
  return hash;
}

void CopyDrafter::read(std::span<const Token> tokens) {
  text_.insert(text_.end(), tokens.begin(), tokens.end());
  // What the text ends with has nothing behind it yet, so it is not a place to go on from.
  for (std::size_t end = std::max(indexed_ + 1, kKey); end < text_.size(); ++end) {
    latest_[key_at(end)] = end;
  }
  if (!text_.empty()) indexed_ = text_.size() - 1;
}

CopyDrafter::Match CopyDrafter::find() const {
  if (text_.size() < kKey) return {};
  const auto place = latest_.find(key_at(text_.size()));
  if (place == latest_.end()) return {};
  const std::size_t next = place->second;
  std::size_t length = 0;
  const std::size_t most = std::min(next, kLongest);
  while (length < most && text_[next - 1 - length] == text_[text_.size() - 1 - length]) ++length;
  if (length < kKey) return {};
  return {.length = length, .next = std::span(text_).subspan(next)};
}

double CopyDrafter::Match::confidence(std::size_t copied) const {
  const auto agreed = static_cast<double>(length + copied);
  return agreed / (agreed + 1.5);
}

}  // namespace lichen::mechanisms
