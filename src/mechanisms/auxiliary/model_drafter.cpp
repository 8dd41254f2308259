#include "mechanisms/auxiliary/model_drafter.h"

#include <algorithm>
#include <utility>

namespace lichen::mechanisms {
namespace {

/// A step of more tokens is not put before other models' steps.
constexpr std::size_t kShort = 32;
/// Cells for guesses.
constexpr std::size_t kRoom = 32;

}  // namespace

std::size_t ModelDrafter::unread(std::span<const Token> answer) const {
  return (session_ ? 0 : prompt_.size()) + answer.size() - heard_;
}

bool ModelDrafter::has_room(std::size_t answer) const {
  // A token of the target's can be several of the model's; most are one.
  const std::size_t text = answer_.size() + answer - std::min(answer, heard_);
  return prompt_.size() + text + kRoom <= static_cast<std::size_t>(model_.context_length());
}

Result<void> ModelDrafter::hear(std::span<const Token> answer) {
  for (; heard_ < answer.size(); ++heard_) {
    if (shared_ == nullptr) {
      answer_.push_back(answer[heard_]);
    } else if (Result<void> read = shared_->read(answer[heard_], answer_); !read) {
      return read;
    }
  }
  return {};
}

/// Tokens behind the prompt that the session may keep. The last one is read again if need be: the
/// guess after it comes from its row.
std::size_t ModelDrafter::agreed() const {
  const auto differ = std::ranges::mismatch(held_, answer_).in1;
  const auto same = static_cast<std::size_t>(differ - held_.begin());
  return std::min(same, answer_.empty() ? 0 : answer_.size() - 1);
}

awaitable<Result<std::vector<Guess>>> ModelDrafter::guess(std::vector<Token> answer,
                                                          DraftLength& length,
                                                          AnswerAcceptance& acceptance) {
  if (Result<void> heard = hear(answer); !heard) co_return std::unexpected(heard.error());
  std::vector<Token> unread;
  if (!session_) {
    session_.emplace(model_.open_session(turn_));
    unread = prompt_;
  } else if (session_->size() < static_cast<int>(prompt_.size())) {  // a step that failed half-way
    session_->truncate(0);
    held_.clear();
    unread = prompt_;
  }
  const std::size_t kept = agreed();
  if (unread.empty()) session_->truncate(static_cast<int>(prompt_.size() + kept));
  held_.resize(kept);
  unread.insert(unread.end(), answer_.begin() + static_cast<std::ptrdiff_t>(kept), answer_.end());
  read_ += static_cast<std::int64_t>(answer_.size() - kept);

  std::vector<Guess> guesses;
  do {
    const Want want{.sampler = &sampler_, .first = unread.size() <= kShort};
    Result<std::vector<Row>> rows = co_await session_->decode(unread, want);
    const auto size = static_cast<std::size_t>(session_->size());
    if (!rows) {
      held_.clear();
      session_->truncate(static_cast<int>(std::min(size, prompt_.size())));
      co_return std::unexpected(std::move(rows.error()));
    }
    const std::size_t fresh = size - prompt_.size() - held_.size();
    held_.insert(held_.end(), unread.end() - static_cast<std::ptrdiff_t>(fresh), unread.end());
    std::optional<Guess> guess = sampler_.take();
    if (!guess) break;
    const double chance = acceptance.chance(guess->confidence);
    acceptance.guessed(chance);
    length.add(chance);
    guesses.push_back(*std::move(guess));
    ++guesses_;
    const Token own = rows->back().token;
    if (model_.vocabulary().ends(own)) break;
    unread.assign(1, own);
  } while (guesses.size() < length.most() && length.worth_more());
  co_return guesses;
}

std::optional<Step> ModelDrafter::step() const {
  if (!session_) return std::nullopt;
  return model_.step_of(*session_, "draft", static_cast<std::int64_t>(prompt_.size()) + read_,
                        guesses_);
}

}  // namespace lichen::mechanisms
