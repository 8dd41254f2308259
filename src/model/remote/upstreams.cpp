#include "model/remote/upstreams.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <utility>

namespace lichen::model {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kNewest = 0.25;     // the newest time's part of an average
constexpr Seconds kForgetting{30};   // after which a time counts 1/e: its upstream is asked anew
constexpr Seconds kShortRest{1};     // after a 429 that names no time
constexpr Seconds kLongestWait{10};  // a rest that is longer is not worth asking before its end
constexpr double kLeastSeconds = 1e-4;

/// An average of times that counts less the older it is.
struct Average {
  double seconds = 0;
  Clock::time_point updated = {};
  bool known = false;

  void add(double value, Clock::time_point now) {
    seconds = known ? seconds + kNewest * (value - seconds) : value;
    updated = now;
    known = true;
  }
  double at(Clock::time_point now) const {
    return seconds * std::exp(-(Seconds(now - updated) / kForgetting));
  }
};

bool contains(const std::vector<std::size_t>& all, std::size_t one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

struct Upstreams::Member {
  Member(Named named, const BreakerOptions& options)
      : name(std::move(named.name)), weight(named.weight), breaker(options) {}

  const std::string name;
  const double weight;
  CircuitBreaker breaker;
  std::array<Average, 3> times = {};  // by Traffic
  Clock::time_point rests_until = {};
  int in_flight = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::string last_failure = {};
};

struct Upstreams::Shared {
  mutable std::mutex mutex;  // guards all below
  std::vector<Member> members;
  double weights = 0;
  std::minstd_rand random;

  /// Those that pass `wanted`, by index.
  template <class Wanted>
  std::vector<std::size_t> all(Wanted wanted) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (wanted(i)) found.push_back(i);
    }
    return found;
  }

  /// One that is not known yet is taken for as fast as the fastest.
  double expected(const Member& member, Traffic traffic, Clock::time_point now) const {
    const auto kind = static_cast<std::size_t>(traffic);
    if (member.times[kind].known) return member.times[kind].at(now);
    double fastest = 0;
    for (const Member& other : members) {
      const Average& time = other.times[kind];
      if (time.known && (fastest == 0 || time.at(now) < fastest)) fastest = time.at(now);
    }
    return fastest;
  }

  /// What a further request would have to wait for there.
  double cost(std::size_t index, Traffic traffic, Clock::time_point now) const {
    const Member& member = members[index];
    const double seconds = std::max(expected(member, traffic, now), kLeastSeconds);
    return (member.in_flight + 1) * seconds / member.weight;
  }

  std::size_t better_of_two(const std::vector<std::size_t>& from, Traffic traffic,
                            Clock::time_point now) {
    if (from.size() == 1) return from.front();
    const auto draw = [this](std::size_t count) {
      return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
    };
    const std::size_t first = draw(from.size());
    std::size_t second = draw(from.size() - 1);
    if (second >= first) ++second;
    return cost(from[second], traffic, now) < cost(from[first], traffic, now) ? from[second]
                                                                              : from[first];
  }

  bool rests(std::size_t index, Clock::time_point now) const {
    return members[index].rests_until > now;
  }
  bool closed(std::size_t index, Clock::time_point now) const {
    return members[index].breaker.state(now) == BreakerState::closed;
  }

  /// The ones to choose from when no recovering one has its turn: fresh before tried, rested before
  /// resting. Of the resting only the one that rests shortest, if that is not long.
  std::vector<std::size_t> candidates(const std::vector<std::size_t>& tried,
                                      Clock::time_point now) const {
    for (const bool again : {false, true}) {
      auto found = all([&](std::size_t i) {
        return contains(tried, i) == again && closed(i, now) && !rests(i, now);
      });
      if (!found.empty()) return found;
    }
    auto resting = all([&](std::size_t i) { return closed(i, now); });
    if (resting.empty()) return resting;
    const auto until = [this](std::size_t i) { return members[i].rests_until; };
    const auto first = *std::ranges::min_element(resting, {}, until);
    if (until(first) - now > kLongestWait) return {};
    return {first};
  }

  Error none(Clock::time_point now) const;
  bool is_outlier(std::size_t index, const UpstreamsOptions& options, Clock::time_point now) const;
};

Error Upstreams::Shared::none(Clock::time_point now) const {
  Error error{.code = Errc::upstream, .detail = {}};
  std::optional<Clock::time_point> soonest;
  std::string each;
  for (const Member& member : members) {
    const bool closed = member.breaker.state(now) == BreakerState::closed;
    auto until = closed ? std::optional(member.rests_until) : member.breaker.opens_until();
    if (until) until = std::max(*until, member.rests_until);
    if (closed) error.code = Errc::rate_limited;
    if (until && (!soonest || *until < *soonest)) soonest = until;
    each += (each.empty() ? "" : "; ") + member.name +
            (closed ? " asked for a pause" : " failed too often") +
            (member.last_failure.empty() ? "" : ", last: " + member.last_failure);
  }
  if (soonest) error.retry_after_s = std::max(0.0, std::ceil(Seconds(*soonest - now).count()));
  error.detail = "not asked, since none of its endpoints takes requests now (" + each + ")";
  return error;
}

bool Upstreams::Shared::is_outlier(std::size_t index, const UpstreamsOptions& options,
                                   Clock::time_point now) const {
  std::size_t without_traffic = 1;  // with this one
  ErrorWindow::Counts others;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i == index) continue;
    if (!closed(i, now)) ++without_traffic;
    const auto counts = members[i].breaker.counts(now);
    others.requests += counts.requests;
    others.failures += counts.failures;
  }
  const auto own = members[index].breaker.counts(now);
  return 2 * without_traffic <= members.size() && own.requests >= options.outlier_requests &&
         others.requests >= options.outlier_requests &&
         own.error_share() >= others.error_share() + options.outlier_margin;
}

Upstreams::Upstreams(std::vector<Named> named, UpstreamsOptions options)
    : options_(std::move(options)), shared_(std::make_unique<Shared>()) {
  shared_->random.seed(options_.seed);
  shared_->members.reserve(named.size());
  for (Named& each : named) {
    shared_->weights += each.weight;
    shared_->members.emplace_back(std::move(each), options_.breaker);
  }
}

Upstreams::~Upstreams() = default;

Result<Upstreams::Lease> Upstreams::pick(Traffic traffic, const std::vector<std::size_t>& tried) {
  const std::lock_guard lock(shared_->mutex);
  const auto now = options_.now();
  auto& members = shared_->members;
  Lease lease;
  lease.traffic_ = traffic;
  const auto take = [&](std::size_t index, CircuitBreaker::Ticket ticket) {
    lease.from_ = this;
    lease.index_ = index;
    lease.ticket_ = ticket;
    ++members[index].in_flight;
    ++members[index].requests;
  };
  for (std::size_t i = 0; i < members.size() && !lease; ++i) {
    if (shared_->closed(i, now) || shared_->rests(i, now) || contains(tried, i)) continue;
    const auto ticket = members[i].breaker.admit(members[i].weight / shared_->weights, now);
    if (ticket) take(i, *ticket);
  }
  if (lease) return lease;
  const auto candidates = shared_->candidates(tried, now);
  if (candidates.empty()) return std::unexpected(shared_->none(now));
  const auto chosen = shared_->better_of_two(candidates, traffic, now);
  take(chosen, members[chosen].breaker.admit(1, now).value_or(CircuitBreaker::Ticket{}));
  return lease;
}

bool Upstreams::another(const std::vector<std::size_t>& tried) const {
  const std::lock_guard lock(shared_->mutex);
  const auto now = options_.now();
  return !shared_
              ->all([&](std::size_t i) {
                return !contains(tried, i) && shared_->closed(i, now) && !shared_->rests(i, now);
              })
              .empty();
}

void Upstreams::reachable(std::size_t index) {
  const std::lock_guard lock(shared_->mutex);
  shared_->members[index].breaker.end_wait(options_.now());
}

std::size_t Upstreams::size() const { return shared_->members.size(); }

std::vector<UpstreamState> Upstreams::states() const {
  const std::lock_guard lock(shared_->mutex);
  const auto now = options_.now();
  std::vector<UpstreamState> states;
  for (const Member& member : shared_->members) {
    const Average& time = member.times[static_cast<std::size_t>(Traffic::streamed)];
    states.push_back({.name = member.name,
                      .admitted = member.breaker.admitted_share(now),
                      .open = member.breaker.state(now) == BreakerState::open,
                      .in_flight = member.in_flight,
                      .first_token_s = time.known ? std::optional(time.seconds) : std::nullopt,
                      .requests = member.requests,
                      .failures = member.failures,
                      .last_failure = member.last_failure});
  }
  return states;
}

void Upstreams::answering(const Lease& lease, Clock::duration after) {
  const std::lock_guard lock(shared_->mutex);
  Member& member = shared_->members[lease.index_];
  const auto now = options_.now();
  member.times[static_cast<std::size_t>(lease.traffic_)].add(Seconds(after).count(), now);
  member.breaker.answering(lease.ticket_, now);
}

void Upstreams::late(const Lease& lease, Clock::duration after) {
  if (lease.ticket_.trial) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(after).count();
    return failed(lease, {.error = {.code = Errc::upstream,
                                    .detail = "no token within " + std::to_string(ms) +
                                              " ms, when another had one"},
                          .fault = Fault::failed});
  }
  const std::lock_guard lock(shared_->mutex);
  Average& time = shared_->members[lease.index_].times[static_cast<std::size_t>(lease.traffic_)];
  const double seconds = Seconds(after).count();
  if (!time.known || seconds > time.seconds) time.add(seconds, options_.now());
}

void Upstreams::succeeded(const Lease& lease) {
  const std::lock_guard lock(shared_->mutex);
  Member& member = shared_->members[lease.index_];
  member.breaker.succeeded(lease.ticket_, options_.now());
}

void Upstreams::failed(const Lease& lease, const Failure& failure) {
  bool waits = false;
  {
    const std::lock_guard lock(shared_->mutex);
    Member& member = shared_->members[lease.index_];
    const auto now = options_.now();
    if (failure.fault == Fault::none) return member.breaker.abandoned(lease.ticket_);
    ++member.failures;
    member.last_failure = failure.cause.empty() ? failure.error.detail : failure.cause;
    if (failure.error.retry_after_s || failure.fault == Fault::busy) {
      const Seconds asked(failure.error.retry_after_s.value_or(kShortRest.count()));
      const auto rest = std::min<Seconds>(asked, options_.longest_rest);
      member.rests_until =
          std::max(member.rests_until, now + std::chrono::duration_cast<Clock::duration>(rest));
    }
    if (failure.fault == Fault::busy) return member.breaker.abandoned(lease.ticket_);
    const bool was_open = member.breaker.state(now) == BreakerState::open;
    member.breaker.failed(lease.ticket_, now);
    if (shared_->closed(lease.index_, now) && shared_->is_outlier(lease.index_, options_, now)) {
      member.breaker.open(now, options_.ejection);
    }
    const bool opened = !was_open && member.breaker.state(now) == BreakerState::open;
    if (opened) member.times = {};  // what it was like before says nothing about its return
    waits = opened && options_.probed && failure.fault == Fault::unreachable;
    if (waits) member.breaker.wait_for_probe();
  }
  if (waits && unreachable_) unreachable_(lease.index_);
}

void Upstreams::give_back(const Lease& lease) {
  const std::lock_guard lock(shared_->mutex);
  Member& member = shared_->members[lease.index_];
  --member.in_flight;
  member.breaker.abandoned(lease.ticket_);
}

Upstreams::Lease& Upstreams::Lease::operator=(Lease&& other) noexcept {
  end();
  from_ = std::exchange(other.from_, nullptr);
  index_ = other.index_;
  traffic_ = other.traffic_;
  ticket_ = other.ticket_;
  return *this;
}

void Upstreams::Lease::answering(Clock::duration after) {
  if (from_ != nullptr) from_->answering(*this, after);
}

void Upstreams::Lease::late(Clock::duration after) {
  if (from_ != nullptr) from_->late(*this, after);
}

void Upstreams::Lease::succeeded() {
  if (from_ == nullptr) return;
  from_->succeeded(*this);
  end();
}

void Upstreams::Lease::failed(const Failure& failure) {
  if (from_ == nullptr) return;
  from_->failed(*this, failure);
  end();
}

void Upstreams::Lease::end() {
  if (from_ != nullptr) std::exchange(from_, nullptr)->give_back(*this);
}

}  // namespace lichen::model
