#include "mechanisms/held_back.h"

#include <utility>

namespace lichen::mechanisms {

awaitable<bool> HeldBack::write(Piece piece) {
  {
    std::lock_guard lock(mutex_);
    if (!released_) {
      held_.push_back(std::move(piece));
      co_return true;
    }
  }
  co_return (co_await turn_.emit(std::move(piece))).has_value();
}

awaitable<Result<void>> HeldBack::release() {
  for (;;) {
    std::vector<Piece> ready;
    {
      // Pieces that come while others are passed on are held, too: the order stays.
      std::lock_guard lock(mutex_);
      if (held_.empty()) {
        released_ = true;
        co_return Result<void>{};
      }
      ready = std::exchange(held_, {});
    }
    for (Piece& piece : ready) {
      Result<void> sent = co_await turn_.emit(std::move(piece));
      if (!sent) co_return sent;
    }
  }
}

}  // namespace lichen::mechanisms
