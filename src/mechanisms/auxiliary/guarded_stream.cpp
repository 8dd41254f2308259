#include "mechanisms/auxiliary/guarded_stream.h"

#include <utility>

namespace lichen::mechanisms {

awaitable<bool> GuardedStream::write(Piece piece) {
  if (failure_) co_return false;
  const std::size_t more = piece.reasoning.size() + piece.text.size();
  const bool full = fresh_.text.size() + more > stretch_;
  if (full && fresh_.text.size() >= stretch_ / 2) {
    Result<void> passed = co_await judge({});
    if (passed) passed = co_await pass(std::exchange(judged_, std::exchange(fresh_, {})));
    if (!passed) {
      failure_ = passed.error();
      co_return false;
    }
  }
  fresh_.text += piece.reasoning;
  fresh_.text += piece.text;
  reasoning_ += piece.reasoning.size();
  fresh_.pieces.push_back(std::move(piece));
  co_return true;
}

awaitable<Result<void>> GuardedStream::finish(std::string more) {
  if (failure_) co_return std::unexpected(*failure_);
  Result<void> passed = co_await judge(std::move(more));
  if (passed) passed = co_await pass(std::exchange(judged_, {}));
  if (passed) passed = co_await pass(std::exchange(fresh_, {}));
  if (!passed) failure_ = passed.error();
  co_return passed;
}

awaitable<Result<void>> GuardedStream::judge(std::string more) {
  std::string text = judged_.text + fresh_.text + more;
  if (text.empty()) co_return Result<void>{};
  co_return co_await judge_(std::move(text));
}

awaitable<Result<void>> GuardedStream::pass(Stretch stretch) {
  for (Piece& piece : stretch.pieces) {
    Result<void> sent = co_await turn_.emit(std::move(piece));
    if (!sent) co_return sent;
  }
  co_return Result<void>{};
}

}  // namespace lichen::mechanisms
