#include "mechanisms/pipeline/draft.h"

#include <algorithm>
#include <cmath>

namespace lichen::mechanisms {

std::string main_author(const Answer& draft) {
  const auto most = std::ranges::max_element(draft.authors, {}, &Stretch::bytes);
  return most == draft.authors.end() ? std::string() : most->model;
}

std::int64_t share_of_tokens(std::int64_t tokens, std::size_t bytes, std::size_t of) {
  const double share =
      static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(of, 1));
  return std::max<std::int64_t>(std::llround(share * static_cast<double>(tokens)), 1);
}

std::int64_t tokens_before(const Answer& draft, std::size_t bytes) {
  if (draft.tokens.empty()) {
    return share_of_tokens(draft.completion_tokens, bytes, draft.text.size());
  }
  std::int64_t count = 0;
  std::size_t at = 0;
  for (const AnswerToken& token : draft.tokens) {
    at += token.text.size();
    if (at > bytes) break;
    ++count;
  }
  return count;
}

}  // namespace lichen::mechanisms
