#include "mechanisms/fusion/aligned_tokens.h"

#include <algorithm>
#include <cassert>

namespace lichen::mechanisms {
namespace {

/// Text that has no beginning of a word is split anew from so far back.
constexpr std::size_t kMostBytes = 64;

bool is_white(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

Result<std::size_t> AlignedTokens::append(std::string_view bytes, Token own) {
  if (bytes.empty()) return tokens_.size();
  if (own >= 0) {
    assert(spelling_.vocabulary().piece(own) == bytes);
    begins_.push_back(text_.size());
    tokens_.push_back(own);
    text_ += bytes;
    return tokens_.size() - 1;
  }
  const std::size_t first = word_start(bytes);
  std::size_t at = first < tokens_.size() ? begins_[first] : text_.size();
  std::string tail = text_.substr(at);
  tail += bytes;
  const Result<std::vector<Token>> spelled = spelling_.spell(tail);
  if (!spelled) return std::unexpected(spelled.error());

  const auto held = std::span(tokens_).subspan(first);
  const auto differs = std::ranges::mismatch(held, *spelled).in1;
  const std::size_t stand = first + static_cast<std::size_t>(differs - held.begin());
  tokens_.resize(first);
  begins_.resize(first);
  for (const Token token : *spelled) {
    tokens_.push_back(token);
    begins_.push_back(at);
    at += spelling_.vocabulary().piece(token).size();
  }
  text_ += bytes;
  return stand;
}

/// The last token, behind the last one too, that begins with a blank and stands behind a character
/// that is none: splitting does not look across there. `bytes` come next.
std::size_t AlignedTokens::word_start(std::string_view bytes) const {
  const auto begins_word = [&](std::size_t at) {
    const char next = at < text_.size() ? text_[at] : bytes.front();
    return next == ' ' && at > 0 && !is_white(text_[at - 1]);
  };
  if (begins_word(text_.size())) return tokens_.size();
  std::size_t i = tokens_.size();
  while (i > 0) {
    const std::size_t at = begins_[i - 1];
    if (text_.size() - at > kMostBytes) break;
    --i;
    if (begins_word(at)) break;
  }
  return i;
}

}  // namespace lichen::mechanisms
