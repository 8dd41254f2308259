#include "eval/outcome.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/conversion.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

namespace lichen::eval {
namespace {

namespace json = boost::json;

/// The one list of what is written down; used to write and to read.
template <class OutcomeRef, class Visit>
void each_field(OutcomeRef& outcome, Visit&& visit) {
  visit("plan", outcome.plan);
  visit("task", outcome.task);
  visit("right", outcome.right);
  visit("error", outcome.error);
  visit("ms", outcome.ms);
  visit("first_token_ms", outcome.first_token_ms);
  visit("busy_ms", outcome.busy_ms);
  visit("answer_tokens", outcome.answer_tokens);
  visit("answer_tokens_large", outcome.answer_tokens_large);
  visit("tokens_in", outcome.tokens_in);
  visit("tokens_out", outcome.tokens_out);
  visit("asked_large", outcome.asked_large);
  visit("usd", outcome.usd);
  visit("usd_large", outcome.usd_large);
  visit("joules", outcome.joules);
  visit("bytes_sent", outcome.bytes_sent);
  visit("models", outcome.models);
  visit("choices", outcome.choices);
  visit("features", outcome.features);
}

}  // namespace

// Found by Boost.JSON's conversions.
void tag_invoke(json::value_from_tag, json::value& value, const ScoredChoice& choice) {
  value = {
      {"mechanism", choice.mechanism}, {"score", choice.score}, {"threshold", choice.threshold}};
}

json::result<ScoredChoice> tag_invoke(json::try_value_to_tag<ScoredChoice>,
                                      const json::value& value) {
  const auto* object = value.if_object();
  const auto* mechanism = object == nullptr ? nullptr : object->if_contains("mechanism");
  const auto* score = object == nullptr ? nullptr : object->if_contains("score");
  const auto* threshold = object == nullptr ? nullptr : object->if_contains("threshold");
  if (mechanism == nullptr || !mechanism->is_string() || score == nullptr || !score->is_number() ||
      threshold == nullptr || !threshold->is_number()) {
    return make_error_code(json::error::size_mismatch);
  }
  return ScoredChoice{.mechanism = std::string(mechanism->get_string()),
                      .score = score->to_number<double>(),
                      .threshold = threshold->to_number<double>()};
}

void add_receipt(Outcome& outcome, const Receipt& receipt, const std::set<std::string>& large) {
  const Totals sum = totals(receipt);
  outcome.first_token_ms = receipt.first_token_ms;
  outcome.tokens_in = sum.tokens_in;
  outcome.tokens_out = sum.tokens_out;
  outcome.usd = sum.usd;
  outcome.joules = sum.joules;
  outcome.bytes_sent = sum.bytes_sent;
  for (const Step& step : receipt.steps) {
    if (large.contains(step.model)) {
      outcome.asked_large = true;
      if (step.usd) outcome.usd_large = outcome.usd_large.value_or(0) + *step.usd;
    }
    if (std::ranges::find(outcome.models, step.model) == outcome.models.end()) {
      outcome.models.push_back(step.model);
    }
  }
  std::ranges::sort(outcome.models);
  for (const Stretch& stretch : receipt.authors) {
    outcome.answer_tokens += stretch.tokens;
    if (large.contains(stretch.model)) outcome.answer_tokens_large += stretch.tokens;
  }
  for (const Decision& decision : receipt.decisions) {
    if (!decision.score) continue;
    outcome.choices.push_back({.mechanism = decision.mechanism,
                               .score = *decision.score,
                               .threshold = decision.threshold.value_or(0)});
  }
}

json::object to_json(const Outcome& outcome) {
  json::object object;
  each_field(outcome, [&object](const char* name, const auto& member) {
    object[name] = json::value_from(member);
  });
  return object;
}

Result<Outcome> outcome_from(const json::value& value) {
  Outcome outcome;
  std::string wrong = value.is_object() ? "" : "no object";
  if (wrong.empty()) {
    each_field(outcome, [&]<class Member>(const char* name, Member& member) {
      if (!wrong.empty()) return;
      wrong = name;  // until it has been read
      const auto* found = value.get_object().if_contains(name);
      if (found == nullptr) return;
      auto read = json::try_value_to<Member>(*found);
      if (!read) return;
      member = std::move(*read);
      wrong.clear();
    });
  }
  if (!wrong.empty()) return fail(Errc::bad_request, "not an outcome: " + wrong);
  return outcome;
}

}  // namespace lichen::eval
