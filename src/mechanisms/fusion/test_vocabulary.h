// A vocabulary of given pieces, for tests: it splits text into the longest piece at each place.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/vocabulary.h"

namespace lichen::mechanisms {

class TestVocabulary : public model::Vocabulary {
 public:
  /// The last token ends an answer.
  explicit TestVocabulary(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
    pieces_.emplace_back();
  }
  int size() const override { return static_cast<int>(pieces_.size()); }
  Result<std::vector<Token>> tokenize(std::string_view text, bool) const override {
    std::vector<Token> tokens;
    if (blank_in_front && !text.empty()) tokens.push_back(token_of(" "));
    while (!text.empty()) {
      Token best = -1;
      for (Token token = 0; token < size(); ++token) {
        const std::string_view next = piece(token);
        if (next.empty() || !text.starts_with(next)) continue;
        if (best < 0 || next.size() > piece(best).size()) best = token;
      }
      if (best < 0) return fail(Errc::bad_model, "no token for this text");
      tokens.push_back(best);
      text.remove_prefix(piece(best).size());
    }
    return tokens;
  }
  std::string_view piece(Token token) const override {
    return pieces_[static_cast<std::size_t>(token)];
  }
  bool ends(Token token) const override { return token == size() - 1; }

  Token token_of(std::string_view bytes) const {
    for (Token token = 0; token < size(); ++token) {
      if (piece(token) == bytes) return token;
    }
    return -1;
  }

  bool blank_in_front = false;  // as SentencePiece does

 private:
  std::vector<std::string> pieces_;
};

/// All 256 bytes, and these.
inline std::vector<std::string> bytes_and(std::vector<std::string> pieces) {
  std::vector<std::string> all;
  for (int byte = 0; byte < 256; ++byte) all.emplace_back(1, static_cast<char>(byte));
  all.insert(all.end(), pieces.begin(), pieces.end());
  return all;
}

inline std::string text_of(const model::Vocabulary& vocabulary, std::span<const Token> tokens) {
  std::string text;
  for (const Token token : tokens) text += vocabulary.piece(token);
  return text;
}

}  // namespace lichen::mechanisms
