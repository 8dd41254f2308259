#include "model/remote/circuit_breaker.h"

#include <algorithm>

namespace lichen::model {

namespace {

constexpr double kFirstShare = 0.1;     // of the traffic, once the trial was answered
constexpr int kFailuresInRecovery = 2;  // one after another open it again
constexpr int kMostDoublings = 10;
constexpr double kWhole = 1 - 1e-9;  // sums of tenths fall short of 1

}  // namespace

void ErrorWindow::add(bool failed, Clock::time_point now) {
  const std::int64_t number = this->number(now);
  Slice& slice = slices_[static_cast<std::size_t>(number % kSlices)];
  if (slice.number != number) slice = {.number = number};
  ++slice.counts.requests;
  slice.counts.failures += failed ? 1 : 0;
}

ErrorWindow::Counts ErrorWindow::counts(Clock::time_point now) const {
  Counts sum;
  const std::int64_t newest = number(now);
  for (const Slice& slice : slices_) {
    if (slice.number <= newest - kSlices) continue;
    sum.requests += slice.counts.requests;
    sum.failures += slice.counts.failures;
  }
  return sum;
}

BreakerState CircuitBreaker::state(Clock::time_point now) const {
  if (closed_) return BreakerState::closed;
  if (waits_ || now < open_until_) return BreakerState::open;
  const bool recovered = recovering_since_ && now - *recovering_since_ >= options_.recovery;
  return recovered ? BreakerState::closed : BreakerState::half_open;
}

double CircuitBreaker::admitted_share(Clock::time_point now) const {
  switch (state(now)) {
    case BreakerState::closed: return 1;
    case BreakerState::open: return 0;
    case BreakerState::half_open: break;
  }
  if (!recovering_since_) return 0;
  const std::chrono::duration<double> passed = now - *recovering_since_;
  const std::chrono::duration<double> whole = options_.recovery;
  return std::clamp(passed / whole, kFirstShare, 1.0);
}

/// Closes what has recovered by now.
void CircuitBreaker::settle(Clock::time_point now) {
  if (closed_ || state(now) != BreakerState::closed) return;
  closed_ = true;
  recovering_since_.reset();
  openings_ = 0;
  consecutive_ = 0;
  window_.clear();
}

std::optional<CircuitBreaker::Ticket> CircuitBreaker::admit(double fair_share,
                                                            Clock::time_point now) {
  settle(now);
  if (closed_) return Ticket{generation_, false};
  if (state(now) == BreakerState::open) return std::nullopt;
  if (!recovering_since_) {
    if (trial_out_) return std::nullopt;
    trial_out_ = true;
    return Ticket{generation_, true};
  }
  credit_ += fair_share * admitted_share(now);
  if (credit_ < kWhole) return std::nullopt;
  credit_ -= 1;
  return Ticket{generation_, false};
}

void CircuitBreaker::answering(Ticket ticket, Clock::time_point now) {
  if (stale(ticket)) return;
  if (ticket.trial) trial_out_ = false;
  if (!closed_ && !recovering_since_) {
    recovering_since_ = now;
    credit_ = 0;
  }
}

void CircuitBreaker::succeeded(Ticket ticket, Clock::time_point now) {
  if (stale(ticket)) return;
  answering(ticket, now);
  settle(now);
  consecutive_ = 0;
  window_.add(false, now);
}

void CircuitBreaker::failed(Ticket ticket, Clock::time_point now) {
  if (stale(ticket)) return;
  settle(now);
  ++consecutive_;
  window_.add(true, now);
  const auto counts = window_.counts(now);
  const int too_many = closed_             ? options_.failures
                       : recovering_since_ ? std::min(kFailuresInRecovery, options_.failures)
                                           : 1;
  const bool too_often =
      counts.requests >= options_.min_requests && counts.error_share() >= options_.error_share;
  if (consecutive_ >= too_many || too_often) open(now);
}

void CircuitBreaker::abandoned(Ticket ticket) {
  if (!stale(ticket) && ticket.trial) trial_out_ = false;
}

void CircuitBreaker::open(Clock::time_point now, std::optional<Clock::duration> pause) {
  const auto doubled = options_.pause * (1 << std::min(openings_, kMostDoublings));
  open_until_ = now + pause.value_or(std::min(doubled, options_.longest_pause));
  ++openings_;
  ++generation_;
  closed_ = false;
  waits_ = false;
  recovering_since_.reset();
  trial_out_ = false;
  consecutive_ = 0;
  window_.clear();
}

void CircuitBreaker::end_wait(Clock::time_point now) {
  if (!waits_) return;
  waits_ = false;
  open_until_ = now;
}

std::optional<Clock::time_point> CircuitBreaker::opens_until() const {
  if (closed_ || waits_) return std::nullopt;
  return open_until_;
}

}  // namespace lichen::model
