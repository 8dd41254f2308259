#include "mechanisms/hand_over.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "base/utf8.h"

namespace lichen::mechanisms {

void absorb_as(Turn& turn, const Turn& child, std::string_view role) {
  const std::size_t first = turn.receipt.steps.size();
  turn.absorb(child);
  for (std::size_t i = first; i < turn.receipt.steps.size(); ++i) {
    Step& step = turn.receipt.steps[i];
    if (step.role == "answer") step.role = role;
  }
}

awaitable<Result<void>> emit_whole(Answer answer, bool logprobs, Turn& turn) {
  if (!answer.reasoning.empty()) {
    const std::string author = answer.authors.empty() ? "" : answer.authors.front().model;
    const Result<void> sent =
        co_await turn.emit({.text = {}, .model = author, .reasoning = std::move(answer.reasoning)});
    if (!sent) co_return sent;
  }
  std::size_t text_at = 0;
  std::size_t token_at = 0;
  int tokens = 0;
  for (std::size_t i = 0; i < answer.authors.size(); ++i) {
    const Stretch& author = answer.authors[i];
    const bool last = i + 1 == answer.authors.size();
    tokens += static_cast<int>(author.tokens);
    std::size_t size = answer.text.size() - text_at;
    if (!last) {
      // A character that two authors share goes with the second, since pieces hold whole ones.
      size = std::min(size, static_cast<std::size_t>(std::max<std::int64_t>(author.bytes, 0)));
      size = base::complete_utf8_prefix(std::string_view(answer.text).substr(text_at, size));
    }
    if (size == 0) continue;
    Piece piece{.text = answer.text.substr(text_at, size),
                .model = author.model,
                .tokens = std::exchange(tokens, 0)};
    text_at += size;
    if (logprobs) {
      const std::size_t left = answer.tokens.size() - token_at;
      const std::size_t count =
          last ? left : std::min(left, static_cast<std::size_t>(std::max(piece.tokens, 0)));
      const auto from = answer.tokens.begin() + static_cast<std::ptrdiff_t>(token_at);
      piece.logprobs.assign(std::make_move_iterator(from),
                            std::make_move_iterator(from + static_cast<std::ptrdiff_t>(count)));
      token_at += count;
    }
    Result<void> sent = co_await turn.emit(std::move(piece));
    if (!sent) co_return sent;
  }
  co_return Result<void>{};
}

bool cut_short(const Answer& answer, const std::optional<int>& max_tokens) {
  if (answer.finish == Finish::content_filter) return true;
  return answer.finish == Finish::length && (!max_tokens || answer.completion_tokens < *max_tokens);
}

void drop_alternatives(Answer& answer, std::size_t wanted) {
  for (AnswerToken& token : answer.tokens) {
    if (token.top.size() > wanted) token.top.resize(wanted);
  }
}

bool is_final(const Error& error, const Turn& turn) {
  return error.code == Errc::refused || error.code == Errc::cancelled || turn.stopped().has_value();
}

}  // namespace lichen::mechanisms
