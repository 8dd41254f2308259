#include "lichen/receipt.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/format.h"
#include "base/saturating.h"
#include "base/utf8.h"

namespace lichen {
namespace {

namespace json = boost::json;

json::value or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object to_json(const Step& step) {
  return {{"model", step.model},
          {"role", step.role},
          {"tokens_in", step.tokens_in},
          {"tokens_out", step.tokens_out},
          {"tokens_cached", step.tokens_cached},
          {"estimated", step.estimated},
          {"remote", step.remote},
          {"upstream", or_null(step.upstream)},
          {"bytes_sent", step.bytes_sent},
          {"queued_ms", step.queued_ms},
          {"prefill_ms", step.prefill_ms},
          {"decode_ms", step.decode_ms},
          {"usd", or_null(step.usd)},
          {"joules", or_null(step.joules)}};
}

json::object to_json(const Decision& decision) {
  return {{"mechanism", decision.mechanism},
          {"choice", decision.choice},
          {"reason", decision.reason},
          {"score", or_null(decision.score)},
          {"threshold", or_null(decision.threshold)}};
}

json::object to_json(const Stretch& stretch) {
  return {{"model", stretch.model}, {"tokens", stretch.tokens}, {"bytes", stretch.bytes}};
}

json::object to_json(const DraftCount& draft) {
  return {{"author", draft.author}, {"drafted", draft.drafted}, {"accepted", draft.accepted}};
}

json::value or_null(const std::optional<Feedback>& feedback) {
  if (!feedback) return nullptr;
  return json::object{{"score", feedback->score}, {"comment", or_null(feedback->comment)}};
}

void add(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

template <class T>
json::array list(const std::vector<T>& items) {
  json::array array;
  array.reserve(items.size());
  for (const T& item : items) array.push_back(to_json(item));
  return array;
}

}  // namespace

double Price::usd(const Step& step) const {
  // An endpoint's own numbers may contradict each other: cached tokens are part of the prompt.
  const std::int64_t cached =
      std::max<std::int64_t>(0, std::min(step.tokens_cached, step.tokens_in));
  return (static_cast<double>(step.tokens_in - cached) * input +
          static_cast<double>(cached) * cached_input.value_or(input) +
          static_cast<double>(step.tokens_out) * output) /
         1e6;
}

Result<void> check(const Feedback& feedback) {
  if (!(feedback.score >= 0 && feedback.score <= 1)) {
    return fail(Errc::bad_request, "the score must be a number from 0 to 1");
  }
  if (feedback.comment.size() > kMaxFeedbackComment) {
    return fail(Errc::bad_request, "the comment must be at most " +
                                       std::to_string(kMaxFeedbackComment) + " bytes long");
  }
  if (!base::valid_utf8(feedback.comment)) {
    return fail(Errc::bad_request, "the comment must be UTF-8");
  }
  return {};
}

Totals totals(const Receipt& receipt) {
  Totals sum;
  for (const Step& step : receipt.steps) {
    base::increase(sum.tokens_in, step.tokens_in);
    base::increase(sum.tokens_out, step.tokens_out);
    base::increase(sum.bytes_sent, step.bytes_sent);
    add(sum.usd, step.usd);
    add(sum.joules, step.joules);
  }
  return sum;
}

void add_drafts(Receipt& receipt, const DraftCount& count) {
  auto known = std::ranges::find(receipt.drafts, count.author, &DraftCount::author);
  if (known == receipt.drafts.end()) {
    receipt.drafts.push_back(count);
  } else {
    known->drafted += count.drafted;
    known->accepted += count.accepted;
  }
}

boost::json::object to_json(const Receipt& receipt) {
  return {{"id", receipt.id},
          {"plan", receipt.plan},
          {"key", or_null(receipt.key)},
          {"started", base::rfc3339(receipt.started)},
          {"finish", or_null(receipt.finish)},
          {"error", or_null(receipt.error)},
          {"first_token_ms", or_null(receipt.first_token_ms)},
          {"total_ms", receipt.total_ms},
          {"steps", list(receipt.steps)},
          {"decisions", list(receipt.decisions)},
          {"authors", list(receipt.authors)},
          {"drafts", list(receipt.drafts)},
          {"feedback", or_null(receipt.feedback)}};
}

}  // namespace lichen
