#include "ledger/key.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "base/saturating.h"

namespace lichen::ledger {
namespace {

using std::chrono::system_clock;
namespace chrono = std::chrono;
namespace json = boost::json;

constexpr std::array<std::pair<BudgetPeriod, std::string_view>, 4> kPeriods = {
    {{BudgetPeriod::total, "total"},
     {BudgetPeriod::day, "day"},
     {BudgetPeriod::week, "week"},
     {BudgetPeriod::month, "month"}}};

constexpr std::size_t kMostPlans = 256;

}  // namespace

std::string_view to_string(BudgetPeriod period) {
  return std::ranges::find(kPeriods, period, &decltype(kPeriods)::value_type::first)->second;
}

std::optional<BudgetPeriod> budget_period(std::string_view name) {
  const auto found = std::ranges::find(kPeriods, name, &decltype(kPeriods)::value_type::second);
  if (found == kPeriods.end()) return std::nullopt;
  return found->first;
}

system_clock::time_point period_begin(BudgetPeriod period, system_clock::time_point now) {
  const auto day = chrono::floor<chrono::days>(now);
  const chrono::year_month_day date(day);
  switch (period) {
    case BudgetPeriod::total: return {};
    case BudgetPeriod::day: return day;
    case BudgetPeriod::week: return day - (chrono::weekday(day) - chrono::Monday);
    case BudgetPeriod::month: return chrono::sys_days(date.year() / date.month() / 1);
  }
  return {};
}

std::optional<system_clock::time_point> period_end(BudgetPeriod period,
                                                   system_clock::time_point now) {
  const auto begin = chrono::floor<chrono::days>(period_begin(period, now));
  switch (period) {
    case BudgetPeriod::total: return std::nullopt;
    case BudgetPeriod::day: return begin + chrono::days(1);
    case BudgetPeriod::week: return begin + chrono::days(7);
    case BudgetPeriod::month: {
      const chrono::year_month_day date(begin);
      return chrono::sys_days((date.year() / date.month() + chrono::months(1)) / 1);
    }
  }
  return std::nullopt;
}

boost::json::object to_json(const Key& key) {
  const KeyLimits& limits = key.limits;
  const auto time = [](const auto& at) {
    return at ? json::value(base::rfc3339(*at)) : json::value(nullptr);
  };
  const auto number = [](const auto& value) {
    return value ? json::value(*value) : json::value(nullptr);
  };
  return {{"id", key.id},
          {"name", key.name},
          {"created", base::rfc3339(key.created)},
          {"expires", time(key.expires)},
          {"revoked", time(key.revoked)},
          {"plans", json::array(limits.plans.begin(), limits.plans.end())},
          {"requests_per_minute", number(limits.requests_per_minute)},
          {"tokens_per_minute", number(limits.tokens_per_minute)},
          {"requests_at_once", number(limits.requests_at_once)},
          {"budget_usd", number(limits.budget_usd)},
          {"period", to_string(limits.period)}};
}

json::object to_json(const Key& key, const KeyUse& used) {
  json::object object = to_json(key);
  object["used"] = {{"requests", used.requests}, {"tokens", used.tokens}, {"usd", used.usd}};
  return object;
}

void add(KeyUse& use, const Receipt& receipt) {
  const lichen::Totals sum = totals(receipt);
  ++use.requests;
  base::increase(use.tokens, sum.tokens_in);
  base::increase(use.tokens, sum.tokens_out);
  use.usd += sum.usd.value_or(0);
}

Result<void> check(const KeyLimits& limits) {
  const auto positive = [](const auto& number) { return !number || *number >= 1; };
  if (!positive(limits.requests_per_minute)) {
    return fail(Errc::bad_request, "requests_per_minute: must be 1 or more");
  }
  if (!positive(limits.tokens_per_minute)) {
    return fail(Errc::bad_request, "tokens_per_minute: must be 1 or more");
  }
  if (!positive(limits.requests_at_once)) {
    return fail(Errc::bad_request, "requests_at_once: must be 1 or more");
  }
  if (limits.budget_usd && !(*limits.budget_usd >= 0 && std::isfinite(*limits.budget_usd))) {
    return fail(Errc::bad_request, "budget_usd: must be 0 or more");
  }
  if (limits.plans.size() > kMostPlans || std::ranges::count(limits.plans, std::string()) > 0) {
    return fail(Errc::bad_request, "plans: must be names of plans and models, 256 at most");
  }
  return {};
}

}  // namespace lichen::ledger
