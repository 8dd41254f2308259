#include "mechanisms/pipeline/joined_answer.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace lichen::mechanisms {

JoinedAnswer::JoinedAnswer(const Request& request, Turn& turn)
    : form_(form_of(request)), writer_(form_, turn) {}

model::AnswerForm JoinedAnswer::form_of(const Request& request) {
  model::AnswerForm form;
  form.stops = request.stop;
  form.max_tokens = request.max_tokens.value_or(std::numeric_limits<int>::max());
  form.logprobs = request.logprobs;
  return form;
}

void JoinedAnswer::next_part() {
  first_part_ = first_part_ && !begun_;
  begun_ = false;
  blanks_.clear();
}

awaitable<bool> JoinedAnswer::write(Piece piece) {
  if (ended_) co_return false;
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string all = std::exchange(blanks_, {}) + piece.text;
  const std::size_t begin = begun_ ? 0 : std::min(all.find_first_not_of(kBlanks), all.size());
  const std::size_t end = std::max(all.find_last_not_of(kBlanks) + 1, begin);
  std::string text = all.substr(begin, end - begin);
  blanks_ = all.substr(end);
  if (!begun_ && !text.empty() && !first_part_) text.insert(0, "\n");
  begun_ = begun_ || !text.empty();
  const Result<bool> more = co_await writer_.write_text(std::move(text), piece.tokens,
                                                        std::move(piece.logprobs), piece.model);
  if (!more) failure_ = more.error();
  full_ = more && *more && writer_.tokens() >= form_.max_tokens;
  ended_ = !more || !*more || full_;
  co_return !ended_;
}

awaitable<Result<Answer>> JoinedAnswer::finish() {
  if (failure_) co_return std::unexpected(*failure_);
  Result<Answer> answer = co_await writer_.finish();
  if (answer && full_) answer->finish = Finish::length;
  co_return answer;
}

}  // namespace lichen::mechanisms
