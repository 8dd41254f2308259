#include "eval/report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <iterator>

namespace lichen::eval {
namespace {

boost::json::value or_null(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

/// Adds an answer to the part of that name, which comes into being with its first.
void count(std::vector<Part>& parts, const std::string& name, bool right) {
  auto part = std::ranges::find(parts, name, &Part::name);
  if (part == parts.end()) part = parts.insert(parts.end(), {.name = name});
  ++part->n;
  part->right += right;
}

using Outcomes = std::vector<const Outcome*>;  // of one plan, by task

Outcomes outcomes_of(const std::string& plan, const std::vector<Outcome>& all) {
  Outcomes outcomes;
  for (const Outcome& outcome : all) {
    if (outcome.plan == plan) outcomes.push_back(&outcome);
  }
  std::ranges::sort(outcomes, {}, [](const Outcome* outcome) { return outcome->task; });
  return outcomes;
}

void set_quality(Row& row, const Outcomes& outcomes, const Suite& suite) {
  std::vector<double> right;
  for (const Outcome* outcome : outcomes) {
    right.push_back(outcome->right ? 1 : 0);
    const Task& task = suite.tasks[outcome->task];
    if (!task.family.empty()) count(row.families, task.family, outcome->right);
    if (task.level > 0) count(row.levels, std::to_string(task.level), outcome->right);
  }
  std::ranges::sort(row.families, {}, &Part::name);
  std::ranges::sort(row.levels, {}, [](const Part& part) { return std::stoi(part.name); });
  const auto estimate = bootstrap_mean(right);
  row.accuracy = estimate.value;
  row.accuracy_low = estimate.low;
  row.accuracy_high = estimate.high;
}

/// The differences over the tasks that both have answered.
std::optional<Estimate> against(const Outcomes& outcomes, const Outcomes& large) {
  std::vector<double> differences;
  auto other = large.begin();
  for (const Outcome* outcome : outcomes) {
    while (other != large.end() && (*other)->task < outcome->task) ++other;
    if (other == large.end()) break;
    if ((*other)->task != outcome->task) continue;
    differences.push_back(static_cast<double>(outcome->right) -
                          static_cast<double>((*other)->right));
  }
  if (differences.empty()) return std::nullopt;
  return bootstrap_mean(differences);
}

void set_cost(Row& row, const Outcomes& outcomes) {
  std::int64_t large = 0, large_tokens = 0;
  for (const Outcome* outcome : outcomes) {
    large += outcome->asked_large;
    row.answer_tokens += outcome->answer_tokens;
    large_tokens += outcome->answer_tokens_large;
    row.tokens_in += outcome->tokens_in;
    row.tokens_out += outcome->tokens_out;
    row.bytes_sent += outcome->bytes_sent;
    add(row.usd, outcome->usd);
    add(row.usd_large, outcome->usd_large);
    add(row.joules, outcome->joules);
  }
  row.large_request_share = share(large, row.n);
  row.large_token_share = share(large_tokens, row.answer_tokens);
}

void set_speed(Row& row, const Outcomes& outcomes) {
  std::vector<double> latencies, first_tokens;
  std::int64_t tokens = 0;
  double busy_ms = 0;
  for (const Outcome* outcome : outcomes) {
    tokens += outcome->answer_tokens;
    busy_ms += outcome->busy_ms;
    if (outcome->failed()) {
      ++row.failures;
      ++row.errors[outcome->error];
      continue;
    }
    latencies.push_back(outcome->ms);
    if (outcome->first_token_ms) first_tokens.push_back(*outcome->first_token_ms);
  }
  row.p50_ms = percentile(latencies, 50);
  row.p95_ms = percentile(latencies, 95);
  row.p50_first_token_ms = percentile(first_tokens, 50);
  row.p95_first_token_ms = percentile(first_tokens, 95);
  row.tokens_per_s = busy_ms > 0 ? static_cast<double>(tokens) / busy_ms * 1'000 : 0;
}

void set_stages(Row& row, const Outcomes& outcomes) {
  for (std::int64_t stage = 0; stage < kStages; ++stage) {
    const auto begin = row.n * stage / kStages, end = row.n * (stage + 1) / kStages;
    std::int64_t right = 0, large = 0;
    std::optional<double> usd;
    for (auto i = begin; i < end; ++i) {
      right += outcomes[static_cast<std::size_t>(i)]->right;
      large += outcomes[static_cast<std::size_t>(i)]->asked_large;
      add(usd, outcomes[static_cast<std::size_t>(i)]->usd);
    }
    row.stages.push_back({.n = end - begin,
                          .accuracy = share(right, end - begin),
                          .large_request_share = share(large, end - begin),
                          .usd = usd});
  }
}

boost::json::array to_json(const std::vector<Stage>& stages) {
  boost::json::array array;
  for (const auto& [n, accuracy, large, usd] : stages) {
    array.push_back(boost::json::object{
        {"n", n}, {"accuracy", accuracy}, {"large_request_share", large}, {"usd", or_null(usd)}});
  }
  return array;
}

boost::json::array to_json(const std::vector<Part>& parts, std::string_view key) {
  boost::json::array array;
  for (const Part& part : parts) {
    array.push_back(
        boost::json::object{{key, part.name}, {"n", part.n}, {"accuracy", part.accuracy()}});
  }
  return array;
}

boost::json::object to_json(const Row& row) {
  boost::json::value against(nullptr);
  if (row.against_large) {
    const auto& [value, low, high] = *row.against_large;
    against = {{"difference", value}, {"low", low}, {"high", high}};
  }
  return {{"plan", row.plan},
          {"n", row.n},
          {"accuracy", row.accuracy},
          {"accuracy_low", row.accuracy_low},
          {"accuracy_high", row.accuracy_high},
          {"against_large", std::move(against)},
          {"large_request_share", row.large_request_share},
          {"large_token_share", row.large_token_share},
          {"answer_tokens", row.answer_tokens},
          {"tokens_in", row.tokens_in},
          {"tokens_out", row.tokens_out},
          {"usd", or_null(row.usd)},
          {"usd_large", or_null(row.usd_large)},
          {"joules", or_null(row.joules)},
          {"bytes_sent", row.bytes_sent},
          {"p50_ms", or_null(row.p50_ms)},
          {"p95_ms", or_null(row.p95_ms)},
          {"p50_first_token_ms", or_null(row.p50_first_token_ms)},
          {"p95_first_token_ms", or_null(row.p95_first_token_ms)},
          {"tokens_per_s", row.tokens_per_s},
          {"failures", row.failures},
          {"errors", boost::json::value_from(row.errors)},
          {"families", to_json(row.families, "family")},
          {"levels", to_json(row.levels, "level")},
          {"stages", to_json(row.stages)}};
}

boost::json::object to_json(const Origin& origin) {
  boost::json::object settings;
  for (const auto& [name, value] : origin.settings) settings[name] = value;
  return {{"command", origin.command}, {"version", origin.version}, {"date", origin.date},
          {"cpu", origin.cpu},         {"cores", origin.cores},     {"settings", settings}};
}

}  // namespace

const Row* Report::find(std::string_view plan) const {
  const auto row = std::ranges::find(rows, plan, &Row::plan);
  return row == rows.end() ? nullptr : &*row;
}

bool Report::is_model(std::string_view plan) const {
  return std::ranges::find(models, plan) != models.end();
}

Report make_report(const Suite& suite, const std::vector<std::string>& plans,
                   const Baselines& baselines, const std::vector<Outcome>& outcomes) {
  Report report{.suite = suite.name, .rows = {}, .baselines = baselines};
  const Outcomes large = outcomes_of(baselines.large_alone, outcomes);
  for (const auto& plan : plans) {
    const Outcomes own = outcomes_of(plan, outcomes);
    Row row{.plan = plan, .n = std::ssize(own)};
    set_quality(row, own, suite);
    row.against_large = against(own, large);
    set_cost(row, own);
    set_speed(row, own);
    set_stages(row, own);
    report.rows.push_back(std::move(row));
  }
  report.curves = router_curves(suite, plans, baselines, outcomes);
  report.pairs = pairs_of(plans, outcomes);
  return report;
}

boost::json::object to_json(const Report& report) {
  boost::json::array rows;
  for (const Row& row : report.rows) rows.push_back(to_json(row));
  boost::json::array curves;
  for (const RouterCurves& router : report.curves) curves.push_back(to_json(router));
  return {{"suite", report.suite},
          {"rows", std::move(rows)},
          {"curves", std::move(curves)},
          {"pairs", to_json(report.pairs)},
          {"origin", to_json(report.origin)}};
}

}  // namespace lichen::eval
