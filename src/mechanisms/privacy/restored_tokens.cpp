#include "mechanisms/privacy/restored_tokens.h"

#include <iterator>

namespace lichen::mechanisms {

std::vector<AnswerToken> RestoredTokens::push(std::vector<AnswerToken> tokens) {
  std::vector<AnswerToken> out;
  for (AnswerToken& token : tokens) {
    text_ += restorer_.push(token.text);
    open_.push_back(std::move(token));
    if (!restorer_.holds_back()) close(out);
  }
  return out;
}

std::vector<AnswerToken> RestoredTokens::finish() {
  std::vector<AnswerToken> out;
  text_ += restorer_.finish();
  close(out);
  return out;
}

void RestoredTokens::close(std::vector<AnswerToken>& out) {
  std::string as_written;
  float logprob = 0;
  for (const AnswerToken& token : open_) {
    as_written += token.text;
    logprob += token.logprob;
  }
  if (text_ == as_written) {
    out.insert(out.end(), std::make_move_iterator(open_.begin()),
               std::make_move_iterator(open_.end()));
  } else {
    out.push_back({.text = std::move(text_), .logprob = logprob});
  }
  open_.clear();
  text_.clear();
}

}  // namespace lichen::mechanisms
