#include "ledger/tally.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/saturating.h"

namespace lichen::ledger {
namespace {

using base::increase;

void add_step(Usage& usage, const Step& step) {
  ++usage.steps;
  increase(usage.tokens_in, step.tokens_in);
  increase(usage.tokens_out, step.tokens_out);
  increase(usage.tokens_cached, step.tokens_cached);
  increase(usage.bytes_sent, step.bytes_sent);
  if (step.usd) {
    usage.usd = usage.usd.value_or(0) + *step.usd;
    ++usage.priced_steps;
  }
  if (step.joules) {
    usage.joules = usage.joules.value_or(0) + *step.joules;
    ++usage.measured_steps;
  }
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// The smallest value that at least `part` of all values do not exceed.
std::optional<double> percentile(std::vector<double>& values, double part) {
  if (values.empty()) return std::nullopt;
  const double rank = std::ceil(part * static_cast<double>(values.size()));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace

void Tally::add(const Receipt& receipt) {
  Group& plan = plans_[receipt.plan];
  add_request(all_, receipt);
  add_request(plan, receipt);
  std::set<std::string_view> used;
  for (const Step& step : receipt.steps) {
    for (Usage* usage : {&all_.usage, &plan.usage, &models_[step.model].usage}) {
      add_step(*usage, step);
    }
    used.insert(step.model);
  }
  for (const Stretch& author : receipt.authors) {
    for (Usage* usage : {&all_.usage, &plan.usage, &models_[author.model].usage}) {
      increase(usage->answer_tokens, author.tokens);
    }
    used.insert(author.model);
  }
  for (std::string_view model : used)
    add_request(models_.find(std::string(model))->second, receipt);
}

void Tally::add_request(Group& group, const Receipt& receipt) {
  ++group.usage.requests;
  if (receipt.error.empty()) {
    group.answered_ms.push_back(receipt.total_ms);
  } else {
    ++group.usage.failures;
  }
}

Totals Tally::take() {
  Totals totals;
  const Usage all = all_.usage;
  totals.all = finish(std::move(all_), all);
  for (auto& [name, group] : plans_) {
    totals.plans.push_back(finish(std::move(group), all));
    totals.plans.back().name = name;
  }
  for (auto& [name, group] : models_) {
    totals.models.push_back(finish(std::move(group), all));
    totals.models.back().name = name;
  }
  *this = Tally();
  return totals;
}

Usage Tally::finish(Group group, const Usage& all) {
  Usage usage = std::move(group.usage);
  usage.request_share = share(usage.requests, all.requests);
  usage.output_token_share = share(usage.tokens_out, all.tokens_out);
  usage.answer_token_share = share(usage.answer_tokens, all.answer_tokens);
  usage.p50_ms = percentile(group.answered_ms, 0.50);
  usage.p95_ms = percentile(group.answered_ms, 0.95);
  return usage;
}

}  // namespace lichen::ledger
