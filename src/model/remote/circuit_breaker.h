// Keeps requests away from an endpoint that fails, and lets them return gradually.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "lichen/turn.h"

namespace lichen::model {

struct BreakerOptions {
  int failures = 5;          // so many one after another open it,
  double error_share = 0.5;  // or this share of failures in the window,
  int min_requests = 10;     // of at least so many requests
  std::chrono::milliseconds window{30'000};
  std::chrono::milliseconds pause{5'000};  // open; doubles each time that it opens again
  std::chrono::milliseconds longest_pause{60'000};
  std::chrono::milliseconds recovery{10'000};  // from the first success to all of the traffic
};

enum class BreakerState : std::uint8_t {
  closed,     // all requests pass
  half_open,  // one passes; once it is answered, a share that grows while they go well
  open,       // none passes
};

/// Successes and failures of the latest time, in ten slices of it.
class ErrorWindow {
 public:
  explicit ErrorWindow(Clock::duration length) : slice_(length / kSlices) {}

  struct Counts {
    int requests = 0;
    int failures = 0;
    double error_share() const { return requests > 0 ? double(failures) / requests : 0; }
  };
  void add(bool failed, Clock::time_point now);
  Counts counts(Clock::time_point now) const;
  void clear() { slices_ = {}; }

 private:
  static constexpr int kSlices = 10;
  struct Slice {
    std::int64_t number = -1;  // since the clock's epoch
    Counts counts = {};
  };
  std::int64_t number(Clock::time_point now) const { return now.time_since_epoch() / slice_; }

  const Clock::duration slice_;
  std::array<Slice, kSlices> slices_ = {};
};

/// A plain value that is told the time; whoever shares it locks. What came of a request counts only
/// if the breaker has not opened since it let the request pass.
class CircuitBreaker {
 public:
  /// What a request that was let pass brings back with its outcome.
  struct Ticket {
    std::uint32_t generation = 0;
    bool trial = false;
  };

  explicit CircuitBreaker(const BreakerOptions& options)
      : options_(options), window_(options.window) {}

  BreakerState state(Clock::time_point now) const;
  /// Lets a request pass, or not. `fair_share` is the endpoint's part of the traffic when all goes
  /// well, above 0 and up to 1: while half open it gets a growing share of that.
  std::optional<Ticket> admit(double fair_share, Clock::time_point now);

  /// The endpoint has begun to answer: enough for traffic to return.
  void answering(Ticket ticket, Clock::time_point now);
  void succeeded(Ticket ticket, Clock::time_point now);
  void failed(Ticket ticket, Clock::time_point now);
  /// It ended for a reason that says nothing about the endpoint.
  void abandoned(Ticket ticket);

  /// Opens it for `pause`, where that is given, else for as long as it is its turn.
  void open(Clock::time_point now, std::optional<Clock::duration> pause = {});
  /// An open one stays open until `end_wait`, whatever time passes.
  void wait_for_probe() { waits_ = true; }
  bool waits() const { return waits_; }
  void end_wait(Clock::time_point now);

  /// When an open one lets the next request pass; none while it waits for a probe.
  std::optional<Clock::time_point> opens_until() const;
  /// Share of the traffic that passes, 0 to 1.
  double admitted_share(Clock::time_point now) const;
  ErrorWindow::Counts counts(Clock::time_point now) const { return window_.counts(now); }

 private:
  bool stale(Ticket ticket) const { return ticket.generation != generation_; }
  void settle(Clock::time_point now);

  const BreakerOptions options_;
  ErrorWindow window_;
  bool closed_ = true;
  bool waits_ = false;
  Clock::time_point open_until_ = {};
  std::optional<Clock::time_point> recovering_since_ = {};
  bool trial_out_ = false;
  double credit_ = 0;  // of requests that the growing share still owes the endpoint
  int openings_ = 0;   // since it was closed
  int consecutive_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace lichen::model
