#include "mechanisms/routing/co_writer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lichen::mechanisms {

awaitable<Result<Row>> CoWriter::next(Want want) {
  std::vector<Token> unread;
  if (!session_) {
    session_.emplace(model_.open_session(turn_));
    unread = prompt_;
  }
  const std::size_t size = answer_.tokens.size();
  assert(!unread.empty() || read_ < size);
  unread.insert(unread.end(), answer_.tokens.begin() + static_cast<std::ptrdiff_t>(read_),
                answer_.tokens.end());
  heard_ += size - read_ -
            std::count(answer_.authors.begin() + static_cast<std::ptrdiff_t>(read_),
                       answer_.authors.end(), this);
  read_ = size;
  auto rows = co_await session_->decode(unread, want);
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return std::move(rows->front());
}

std::optional<Step> CoWriter::step(std::int64_t tokens_out) const {
  if (!session_) return std::nullopt;
  return model_.step_of(*session_, "answer", prompt_tokens() + heard_, tokens_out);
}

}  // namespace lichen::mechanisms
