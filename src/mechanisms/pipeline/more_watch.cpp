#include "mechanisms/pipeline/more_watch.h"

#include <utility>

#include "mechanisms/pipeline/job_list.h"

namespace lichen::mechanisms {

awaitable<bool> MoreWatch::write(Piece piece) {
  if (!shown_) begun_ += piece.text;
  const bool heard = co_await held_.write(std::move(piece));
  if (shown_ || !heard || may_ask_for_more(begun_)) co_return heard;
  co_return (co_await release()).has_value();
}

awaitable<Result<void>> MoreWatch::release() {
  shown_ = shown_ || !begun_.empty();
  co_return co_await held_.release();
}

}  // namespace lichen::mechanisms
