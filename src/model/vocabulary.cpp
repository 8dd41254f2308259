#include "model/vocabulary.h"

namespace lichen::model {

bool same_tokens(const Vocabulary& a, const Vocabulary& b) {
  if (&a == &b) return true;
  if (a.size() != b.size()) return false;
  for (Token token = 0; token < a.size(); ++token) {
    if (a.piece(token) != b.piece(token) || a.ends(token) != b.ends(token)) return false;
  }
  return true;
}

}  // namespace lichen::model
