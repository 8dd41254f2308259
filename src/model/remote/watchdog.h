// Ends what a call to an endpoint waits for when its time is up or its turn is stopped.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "lichen/turn.h"

namespace lichen::model {

/// What can end a wait.
enum class Bound : std::uint8_t {
  none,
  stopped,      // the turn's stop token
  deadline,     // the turn's deadline
  total,        // total_timeout of the model
  connect,      // connect_timeout: name look-up, TCP and TLS together
  headers,      // headers_timeout
  first_token,  // first_token_timeout
  idle,         // idle_timeout
};

/// One timer and one stop callback for all waits of a call, so that a wait costs no timer of its
/// own: moving a bound further away only stores it.
///
/// Thread rule: used on one serial executor (a strand) only; the stop token may fire on any thread.
class Watchdog {
 public:
  Watchdog(boost::asio::any_io_executor serial, std::stop_token stop);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Bounds the whole call; of several, the earliest counts.
  void limit(Bound bound, Clock::time_point at);
  /// Bounds what is waited for next, in place of the phase before.
  void phase(Bound bound, Clock::time_point at);
  void end_phase() { phase(Bound::none, Clock::time_point::max()); }

  /// Called once when a bound is hit; must make the present wait, and later ones on the same
  /// object, end at once (close a socket, expire a timer). Replaces the one before.
  void on_hit(std::function<void()> abort);
  void off();

  /// Ends the whole call now, as the turn's stop would.
  void stop();

  /// The bound that was hit, or `none`. Bounds of the whole call stay hit, a phase's until the
  /// next phase.
  Bound hit() const;

  boost::asio::any_io_executor executor() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace lichen::model
