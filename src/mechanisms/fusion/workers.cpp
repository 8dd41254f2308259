#include "mechanisms/fusion/workers.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace lichen::mechanisms {

namespace {

/// One piece of work while it is done.
class Share {
 public:
  Share(std::uint64_t pieces, const Workers::Work& work, std::stop_token stop)
      : pieces_(pieces), work_(work), stop_(std::move(stop)) {}

  /// Takes pieces until there are none.
  void take(std::size_t worker) {
    try {
      for (std::uint64_t piece = next_++; piece < pieces_; piece = next_++) {
        if (stop_.stop_requested()) return end({Errc::cancelled, "stopped"});
        if (auto done = work_(worker, piece); !done) return end(std::move(done).error());
      }
    } catch (...) {  // the allocator's
      next_ = pieces_;
      const std::lock_guard lock(mutex_);
      exception_ = std::current_exception();
    }
  }

  /// Once nobody works any more.
  Result<void> outcome() {
    if (exception_) std::rethrow_exception(exception_);
    if (error_) return std::unexpected(*std::move(error_));
    return {};
  }

 private:
  void end(Error error) {
    next_ = pieces_;
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  const std::uint64_t pieces_;
  const Workers::Work& work_;
  const std::stop_token stop_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;
  // Guarded by mutex_
  std::optional<Error> error_;
  std::exception_ptr exception_;
};

}  // namespace

Result<void> Workers::run(std::uint64_t pieces, const Work& work) const {
  Share share(pieces, work, stop_);
  {
    std::vector<std::jthread> others;
    const std::size_t wanted = std::min<std::uint64_t>(count(), pieces);
    for (std::size_t worker = 1; worker < wanted; ++worker) {
      others.emplace_back([&share, worker] { share.take(worker); });
    }
    share.take(0);
  }
  return share.outcome();
}

}  // namespace lichen::mechanisms
