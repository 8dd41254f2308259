#include "mechanisms/fusion/spelling.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace lichen::mechanisms {

Spelling::Spelling(const model::Vocabulary& vocabulary) : vocabulary_(vocabulary) {
  for (Token token = 0; token < vocabulary.size(); ++token) {
    if (vocabulary.ends(token)) {
      ends_.push_back(token);
      continue;
    }
    const std::string_view piece = vocabulary.piece(token);
    if (piece.empty()) continue;
    tokens_[piece] = token;
    longest_ = std::max(longest_, piece.size());
  }
}

Token Spelling::find(std::string_view bytes) const {
  const auto found = tokens_.find(bytes);
  return found == tokens_.end() ? -1 : found->second;
}

Result<std::vector<Token>> Spelling::spell(std::string_view bytes) const {
  const Result<std::vector<Token>> tokens = vocabulary_.tokenize(bytes, false);
  if (!tokens) return longest_first(bytes);
  std::string_view left = bytes;
  for (const Token token : *tokens) {
    const std::string_view piece = vocabulary_.piece(token);
    if (piece.empty() || !left.starts_with(piece)) return longest_first(bytes);
    left.remove_prefix(piece.size());
  }
  return left.empty() ? tokens : longest_first(bytes);
}

Result<std::vector<Token>> Spelling::longest_first(std::string_view bytes) const {
  std::vector<Token> tokens;
  while (!bytes.empty()) {
    std::size_t size = std::min(longest_, bytes.size());
    while (size > 0 && find(bytes.substr(0, size)) < 0) --size;
    if (size == 0) {
      return fail(Errc::unsupported,
                  fmt::format("no token of the vocabulary begins with the byte 0x{:02x}",
                              static_cast<unsigned char>(bytes.front())));
    }
    tokens.push_back(find(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  return tokens;
}

}  // namespace lichen::mechanisms
