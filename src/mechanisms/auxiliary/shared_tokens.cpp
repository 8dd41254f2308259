#include "mechanisms/auxiliary/shared_tokens.h"

#include <string_view>
#include <unordered_map>

namespace lichen::mechanisms {

SharedTokens::SharedTokens(const model::Vocabulary& drafter, const model::Vocabulary& target)
    : drafter_(drafter),
      target_(target),
      to_target_(static_cast<std::size_t>(drafter.size()), -1),
      to_drafter_(static_cast<std::size_t>(target.size()), -1) {
  std::unordered_map<std::string_view, Token> pieces;
  Token end = -1;
  for (Token token = 0; token < target.size(); ++token) {
    if (target.ends(token)) {
      if (end < 0) end = token;
    } else if (!target.piece(token).empty()) {
      pieces.emplace(target.piece(token), token);
    }
  }
  std::size_t of_text = 0;
  std::size_t shared = 0;
  for (Token token = 0; token < drafter.size(); ++token) {
    Token& other = to_target_[static_cast<std::size_t>(token)];
    if (drafter.ends(token)) {
      other = end;
      continue;
    }
    if (drafter.piece(token).empty()) continue;
    ++of_text;
    const auto found = pieces.find(drafter.piece(token));
    if (found == pieces.end()) continue;
    ++shared;
    other = found->second;
    Token& back = to_drafter_[static_cast<std::size_t>(other)];
    if (back < 0) back = token;
  }
  if (of_text > 0) overlap_ = static_cast<double>(shared) / static_cast<double>(of_text);
}

Result<void> SharedTokens::read(Token token, std::vector<Token>& tokens) const {
  const Token same = to_drafter_[static_cast<std::size_t>(token)];
  if (same >= 0) {
    tokens.push_back(same);
    return {};
  }
  const Result<std::vector<Token>> parts = drafter_.tokenize(target_.piece(token), false);
  if (!parts) return std::unexpected(parts.error());
  tokens.insert(tokens.end(), parts->begin(), parts->end());
  return {};
}

}  // namespace lichen::mechanisms
