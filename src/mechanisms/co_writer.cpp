#include "mechanisms/co_writer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lichen::mechanisms {

awaitable<Result<std::vector<Row>>> CoWriter::read(Want want, std::size_t leave) {
  std::vector<Token> unread;
  if (!session_) {
    session_.emplace(model_.open_session(turn_));
    unread = prompt_;
  }
  const std::size_t until = answer_.tokens.size() - std::min(leave, answer_.tokens.size());
  for (; read_ < until; ++read_) {
    unread.push_back(answer_.tokens[read_]);
    heard_ += answer_.authors[read_] != this;
  }
  if (unread.empty()) co_return std::vector<Row>{};
  co_return co_await session_->decode(unread, want);
}

awaitable<Result<Row>> CoWriter::next(Want want) {
  auto rows = co_await read(want);
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  assert(!rows->empty());
  co_return std::move(rows->back());
}

std::optional<Step> CoWriter::step(std::int64_t tokens_out, std::string role) const {
  if (!session_) return std::nullopt;
  return model_.step_of(*session_, std::move(role), prompt_tokens() + heard_, tokens_out);
}

}  // namespace lichen::mechanisms
