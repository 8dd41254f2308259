#include "model/remote/watchdog.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace lichen::model {

namespace asio = boost::asio;

/// Shared with the timer's handler and posted stops, which may outlive the call.
struct Watchdog::State : std::enable_shared_from_this<State> {
  explicit State(asio::any_io_executor serial) : timer(std::move(serial)) {}

  asio::steady_timer timer;
  Bound outer = Bound::none;
  Clock::time_point outer_at = Clock::time_point::max();
  Bound phase = Bound::none;
  Clock::time_point phase_at = Clock::time_point::max();
  Bound outer_hit = Bound::none;
  Bound phase_hit = Bound::none;
  std::function<void()> abort;
  bool waiting = false;
  int wait = 0;  // number of the present wait: handlers of earlier ones do nothing
  bool over = false;

  void bark() {
    if (auto act = std::exchange(abort, nullptr)) act();
  }

  void check() {
    const auto now = Clock::now();
    if (now >= outer_at && outer_hit == Bound::none) outer_hit = outer;
    if (now >= phase_at) phase_hit = phase;
    if (outer_hit != Bound::none || phase_hit != Bound::none) {
      bark();
    } else {
      arm();
    }
  }

  /// A timer that fires too early is cheaper than one that is set anew for every read.
  void arm() {
    const auto next = std::min(outer_at, phase_at);
    if (over || next == Clock::time_point::max()) return;
    if (waiting && timer.expiry() <= next) return;
    waiting = true;
    timer.expires_at(next);
    timer.async_wait([self = shared_from_this(), mine = ++wait](boost::system::error_code) {
      if (self->over || mine != self->wait) return;
      self->waiting = false;
      self->check();
    });
  }
};

Watchdog::Watchdog(asio::any_io_executor serial, std::stop_token stop)
    : state_(std::make_shared<State>(serial)) {
  if (stop.stop_requested()) {
    state_->outer_hit = Bound::stopped;
    return;
  }
  if (!stop.stop_possible()) return;
  on_stop_.emplace(std::move(stop), [serial, weak = std::weak_ptr<State>(state_)] {
    asio::post(serial, [weak] {
      const auto state = weak.lock();
      if (!state || state->over) return;
      if (state->outer_hit == Bound::none) state->outer_hit = Bound::stopped;
      state->bark();
    });
  });
}

Watchdog::~Watchdog() {
  on_stop_.reset();
  state_->over = true;
  state_->abort = nullptr;
  state_->timer.cancel();
}

void Watchdog::limit(Bound bound, Clock::time_point at) {
  if (at >= state_->outer_at) return;
  state_->outer = bound;
  state_->outer_at = at;
  if (Clock::now() >= at && state_->outer_hit == Bound::none) state_->outer_hit = bound;
  state_->arm();
}

void Watchdog::phase(Bound bound, Clock::time_point at) {
  state_->phase = bound;
  state_->phase_at = at;
  state_->phase_hit = Bound::none;
  state_->arm();
}

void Watchdog::on_hit(std::function<void()> abort) {
  state_->abort = std::move(abort);
  if (hit() != Bound::none) state_->bark();
}

void Watchdog::stop() {
  if (state_->outer_hit == Bound::none) state_->outer_hit = Bound::stopped;
  state_->bark();
}

void Watchdog::off() { state_->abort = nullptr; }

Bound Watchdog::hit() const {
  return state_->outer_hit != Bound::none ? state_->outer_hit : state_->phase_hit;
}

asio::any_io_executor Watchdog::executor() const { return state_->timer.get_executor(); }

}  // namespace lichen::model
