// An event for which coroutines of one strand wait.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "lichen/turn.h"

namespace lichen::mechanisms {

/// Happens once. On its strand only.
class Signal {
 public:
  explicit Signal(const boost::asio::any_io_executor& strand)
      : timer_(strand, Clock::time_point::max()) {}

  void set() {
    set_ = true;
    timer_.cancel();
  }
  bool is_set() const { return set_; }
  awaitable<void> wait() {
    while (!set_) co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

  /// Sets it at the end of a coroutine, however that ends: nobody waits for one that is gone.
  class AtEnd {
   public:
    explicit AtEnd(Signal& signal) : signal_(signal) {}
    ~AtEnd() { signal_.set(); }
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;

   private:
    Signal& signal_;
  };

 private:
  boost::asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace lichen::mechanisms
