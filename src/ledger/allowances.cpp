#include "ledger/allowances.h"

#include <spdlog/fmt/fmt.h>

#include "base/format.h"

namespace lichen::ledger {

namespace chrono = std::chrono;

Error over_limit(std::int64_t limit, std::string_view what, double wait_s) {
  return {Errc::rate_limited, fmt::format("the key's limit is {} {}", limit, what), wait_s};
}

Error over_budget(const Key& key, const Claim& claim, double left,
                  chrono::system_clock::time_point now) {
  const KeyLimits& limits = key.limits;
  std::string detail = "the key's budget of " + base::format_usd(limits.budget_usd.value_or(0));
  if (limits.period != BudgetPeriod::total) {
    detail += fmt::format(" a {}", to_string(limits.period));
  }
  const auto end = period_end(limits.period, now);
  if (left > 0) {
    detail += fmt::format(" has {} left, and this request may cost {}: ask for fewer tokens",
                          base::format_usd(left), base::format_usd(claim.usd));
  } else if (end) {
    const chrono::year_month_day day(chrono::floor<chrono::days>(*end));
    detail += fmt::format(" is spent until {:04}-{:02}-{:02}", static_cast<int>(day.year()),
                          static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  } else {
    detail += " is spent";
  }
  Error error{Errc::budget_exceeded, std::move(detail)};
  if (end) error.retry_after_s = chrono::duration<double>(*end - now).count();
  return error;
}

}  // namespace lichen::ledger
