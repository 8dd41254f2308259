#include "model/token_order.h"

#include <algorithm>

namespace lichen::model {

TokenOrder::TokenOrder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
  for (Token token = 0; token < vocabulary.size(); ++token) {
    if (vocabulary.ends(token)) {
      ends_.push_back(token);
    } else if (!vocabulary.piece(token).empty()) {
      entries_.push_back({token, 0});
    }
  }
  auto piece = [&](const Entry& entry) { return vocabulary.piece(entry.token); };
  std::ranges::sort(entries_, {}, piece);
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    const std::string_view before = piece(entries_[i - 1]);
    const std::string_view here = piece(entries_[i]);
    const auto differ = std::ranges::mismatch(before, here).in2;
    entries_[i].shared = static_cast<std::size_t>(differ - here.begin());
  }
}

bool TokenOrder::allows(GrammarMatcher& matcher, Token token) const {
  if (vocabulary_.ends(token)) return matcher.may_end();
  const std::string_view piece = vocabulary_.piece(token);
  const bool fits = !piece.empty() && std::ranges::all_of(piece, [&](char c) {
    return matcher.push(static_cast<unsigned char>(c));
  });
  const bool allowed = fits && matcher.viable();
  matcher.pop(0);
  return allowed;
}

std::vector<bool> TokenOrder::allowed(GrammarMatcher& matcher) const {
  std::vector<bool> allowed(static_cast<std::size_t>(vocabulary_.size()));
  if (matcher.may_end()) {
    for (const Token token : ends_) allowed[static_cast<std::size_t>(token)] = true;
  }
  std::size_t dead = 0;  // bytes of a beginning that the grammar refuses; 0: none
  for (const Entry& entry : entries_) {
    if (dead > 0 && entry.shared >= dead) continue;
    dead = 0;
    if (matcher.length() > entry.shared) matcher.pop(entry.shared);
    const std::string_view piece = vocabulary_.piece(entry.token);
    for (std::size_t i = matcher.length(); i < piece.size() && dead == 0; ++i) {
      if (!matcher.push(static_cast<unsigned char>(piece[i]))) dead = i + 1;
    }
    if (matcher.exhausted()) break;
    if (dead == 0) allowed[static_cast<std::size_t>(entry.token)] = matcher.viable();
  }
  matcher.pop(0);
  return allowed;
}

}  // namespace lichen::model
