// Tokens in, the answer out: what is the same whoever chooses the tokens, one model or several that
// take turns. Text is shown as soon as it is certain, stop strings and max_tokens end it, tool
// calls are read out of it, and each stretch has its author.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/session.h"
#include "model/chat_format.h"
#include "model/text_stream.h"
#include "model/vocabulary.h"

namespace lichen::model {

/// What an answer must keep to.
struct AnswerForm {
  RenderedChat chat = {};
  std::vector<std::string> stops = {};
  std::int64_t max_tokens = 0;
  bool logprobs = false;
  int top_logprobs = 0;
  bool tools = false;
};

/// Serves one answer. All it is given must outlive it. A character whose bytes come from two
/// authors is the second one's, as pieces hold whole characters.
class AnswerWriter {
 public:
  AnswerWriter(const AnswerForm& form, const ChatFormat& chat, Turn& turn);
  /// For a form without tools: only those are the chat's.
  AnswerWriter(const AnswerForm& form, Turn& turn);

  /// Takes the token that `author` chose. False: the answer ends here, by an end token, a stop
  /// string or its length. Fails as `Turn::emit`.
  awaitable<Result<bool>> write(Row row, const Vocabulary& vocabulary, const std::string& author);
  /// The same for a piece of text of `tokens` tokens from an author who minds the length by itself.
  /// False: a stop string.
  awaitable<Result<bool>> write_text(std::string text, int tokens,
                                     std::vector<AnswerToken> logprobs, const std::string& author);
  /// Corrects the count where an author says at the end how many tokens it wrote.
  void count(int more_tokens, const std::string& author);
  /// Shows what was held back. The answer's prompt and cached tokens are the caller's to fill in.
  awaitable<Result<Answer>> finish();

  /// A stop string has been found.
  bool stopped() const { return text_.stopped(); }
  /// Tokens so far, and how many of them are `author`'s.
  std::int64_t tokens() const { return answer_.completion_tokens; }
  std::int64_t tokens_of(std::string_view author) const;

 private:
  /// A stretch of which something has not been shown yet, or the last one.
  struct Open {
    std::size_t stretch;    // its place in the answer's authors
    std::size_t held = 0;   // of its tokens' bytes, those that `text_` holds back
    std::size_t ready = 0;  // bytes of the answer's text that have not been shown
    int tokens = 0;         // not told to the sink
    std::vector<AnswerToken> logprobs = {};
  };

  Open& open(const std::string& author);
  void add(std::string_view bytes, int tokens, const std::string& author);
  awaitable<Result<bool>> go_on(std::string_view bytes);
  std::string take_ready(std::string ready);
  awaitable<Result<void>> show(std::string text, bool last);
  Result<std::string> read_calls();
  void fit_authors();

  const AnswerForm& form_;
  const ChatFormat* chat_;  // null: no tools
  Turn& turn_;
  TextStream text_;
  TextStream before_call_;  // with tools: what stands before the first call
  Answer answer_;
  std::size_t shown_ = 0;  // bytes of the answer's text
  std::deque<Open> open_;
};

}  // namespace lichen::model
