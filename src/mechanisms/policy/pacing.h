// Prices that keep a stream of choices within what it may spend. Each is the Lagrange multiplier of
// one constraint, moved after every request by how far that request was from the constraint's mean
// (adaptive pacing: Balseiro, Gur 2019, Management Science 65; bandits with knapsacks:
// Badanidiyuru, Kleinberg, Slivkins 2013, arXiv 1305.2545).
#pragma once

#include <cstdint>
#include <deque>

namespace lichen::mechanisms {

/// A bound on what any hour may spend, and the price that spreads it over the hour. Times are
/// seconds since 1970; going back in time is as standing still. Not for several threads at once.
class HourlyBudget {
 public:
  /// What was spent in one slot of time.
  struct Slot {
    std::int64_t number = 0;  // its time, in slots since 1970
    double amount = 0;
  };

  explicit HourlyBudget(double per_hour) : per_hour_(per_hour) {}

  /// In the last hour, to within a slot: never less than what was.
  double spent(double now) const;
  /// Whether another request may spend, where `reserved` may yet be spent by those in progress.
  bool open(double now, double reserved) const { return spent(now) + reserved < per_hour_; }
  /// Seconds until a slot of the hour is over and so some of the budget is free again.
  double wait(double now) const;

  void spend(double now, double amount);
  /// Moves the price after a request that spent `share` of what the dearest plan spends on average,
  /// which is `unit`.
  void pace(double now, double share, double unit);
  /// Of `unit`, in points of the score.
  double price() const { return price_; }

  const std::deque<Slot>& slots() const { return slots_; }
  void restore(double price, double paced_at, std::deque<Slot> slots);
  double paced_at() const { return paced_at_; }

 private:
  const double per_hour_;
  std::deque<Slot> slots_;  // by growing number
  double price_ = 0;
  double paced_at_ = 0;  // 0: never
};

/// The price of being slow that holds the 95th percentile under a limit: at most 5 % of requests
/// may take longer. Not for several threads at once.
class TailPrice {
 public:
  void pace(bool slow);
  /// Of a request that is slow for sure, in points of the score.
  double price() const { return price_; }
  void restore(double price) { price_ = price; }

  static constexpr double kMost = 20;  // a request in 20 may be slow, for a whole point

 private:
  double price_ = 0;
};

}  // namespace lichen::mechanisms
