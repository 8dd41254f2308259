#include "mechanisms/policy/pacing.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lichen::mechanisms {
namespace {

constexpr double kHour = 3'600;             // seconds
constexpr double kSlot = 10;                // seconds
constexpr std::int64_t kSlotsOfHour = 361;  // those that an hour can touch
/// Of the budget: at all of it every early purchase would be missing at the end of the hour.
constexpr double kAim = 0.95;
constexpr double kStep = 0.05;  // of a price, for a whole unit too much
/// A request earns at most this much of a unit, however long it has been quiet.
constexpr double kMostCredit = 1;
constexpr double kMostPrice = 4;     // points: at that price hardly anything is bought
constexpr double kSlowShare = 0.05;  // beyond the 95th percentile

std::int64_t slot_of(double time) { return static_cast<std::int64_t>(std::floor(time / kSlot)); }

}  // namespace

double HourlyBudget::spent(double now) const {
  const std::int64_t first = slot_of(now) - kSlotsOfHour + 1;
  double sum = 0;
  for (const Slot& slot : slots_) {
    if (slot.number >= first) sum += slot.amount;
  }
  return sum;
}

double HourlyBudget::wait(double now) const {
  const std::int64_t first = slot_of(now) - kSlotsOfHour + 1;
  for (const Slot& slot : slots_) {
    if (slot.number < first || slot.amount <= 0) continue;
    return static_cast<double>(slot.number + kSlotsOfHour) * kSlot - now;
  }
  return 0;
}

void HourlyBudget::spend(double now, double amount) {
  if (!(amount > 0)) return;
  std::int64_t number = slot_of(now);
  if (!slots_.empty()) number = std::max(number, slots_.back().number);
  if (slots_.empty() || slots_.back().number < number) slots_.push_back({.number = number});
  slots_.back().amount += amount;
  while (slots_.front().number <= number - kSlotsOfHour) slots_.pop_front();
}

void HourlyBudget::pace(double now, double share, double unit) {
  const double elapsed = paced_at_ > 0 ? std::max(0.0, now - paced_at_) : 0;
  paced_at_ = std::max(now, paced_at_);
  double credit = kMostCredit;
  if (unit > 0) credit = std::min(kMostCredit, kAim * per_hour_ / kHour * elapsed / unit);
  if (!open(now, 0)) credit = 0;  // what is bought then costs nothing
  price_ = std::clamp(price_ + kStep * (share - credit), 0.0, kMostPrice);
}

void HourlyBudget::restore(double price, double paced_at, std::deque<Slot> slots) {
  price_ = price;
  paced_at_ = paced_at;
  slots_ = std::move(slots);
}

void TailPrice::pace(bool slow) {
  price_ = std::clamp(price_ + kStep * ((slow ? 1 : 0) - kSlowShare), 0.0, kMost);
}

}  // namespace lichen::mechanisms
