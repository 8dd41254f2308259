#include "mechanisms/routing/handover_writing.h"

#include <utility>

namespace lichen::mechanisms {

HandoverWriting::HandoverWriting(const HandoverOptions& options, const Parts& parts, Turn& turn)
    : options_(options),
      turn_(turn),
      vocabulary_(parts.small.vocabulary()),
      small_(parts.small, parts.prompt, tokens_, turn),
      writer_(parts.job.form, parts.of.chat(), turn),
      large_(parts.large),
      gate_(options.rule, parts.job.want()) {}

awaitable<Result<Answer>> HandoverWriting::answer() {
  const Result<void> written = co_await write();
  const std::int64_t tokens = writer_.tokens();
  const std::int64_t by_large = writer_.tokens_of(large_);
  Result<Answer> answer =
      written ? co_await writer_.finish() : Result<Answer>(std::unexpected(written.error()));
  if (auto step = small_.step(tokens - by_large)) turn_.receipt.steps.push_back(*step);
  if (auto step = step_of_large(by_large)) turn_.receipt.steps.push_back(*step);
  turn_.receipt.decisions.push_back(handover_decision(options_.rule, gate_, by_large, tokens));
  if (!answer) co_return answer;
  if (ended_) answer->finish = *ended_;
  answer->prompt_tokens = small_.prompt_tokens();
  answer->cached_tokens = small_.cached_tokens();
  if (answer->authors.empty()) answer->authors = {{.model = small_.name()}};
  co_return answer;
}

awaitable<Result<void>> HandoverWriting::write() {
  for (;;) {
    Result<Row> row = co_await small_.next(gate_.want());
    if (!row) co_return std::unexpected(std::move(row.error()));
    const Result<bool> critical = gate_.critical(*row, can_hand_over());
    if (!critical) co_return std::unexpected(critical.error());
    const Result<bool> more =
        *critical ? co_await take_over(row->token) : co_await add(*std::move(row), small_);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return Result<void>{};
  }
}

awaitable<Result<bool>> HandoverWriting::add(Row row, const CoWriter& author) {
  tokens_.add(row.token, &author);
  return writer_.write(std::move(row), vocabulary_, author.name());
}

}  // namespace lichen::mechanisms
