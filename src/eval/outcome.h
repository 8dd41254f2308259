// What is kept of one request of a measurement. Everything that a report says is computed from
// outcomes, so a measurement can be interrupted and go on from those that are written down.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lichen/receipt.h"
#include "lichen/result.h"

namespace lichen::eval {

/// A choice between small and large that was made by comparing a score (see Decision).
struct ScoredChoice {
  std::string mechanism;
  double score = 0;
  double threshold = 0;
};

struct Outcome {
  std::string plan;
  std::size_t task = 0;  // its place in the suite
  bool right = false;
  std::string error = {};  // Errc's name: there is no answer that could be checked; empty: there is

  double ms = 0;                              // until the whole answer or the failure
  std::optional<double> first_token_ms = {};  // none: nothing was written
  /// Wall-clock time in which a request of the plan was in progress, since the outcome before.
  double busy_ms = 0;

  std::int64_t answer_tokens = 0;        // of the answer, whoever wrote it
  std::int64_t answer_tokens_large = 0;  // of these by a large model
  std::int64_t tokens_in = 0;            // of all steps
  std::int64_t tokens_out = 0;
  bool asked_large = false;              // a large model did a step, used or not
  std::optional<double> usd = {};        // of the steps with a price
  std::optional<double> usd_large = {};  // of these by a large model
  std::optional<double> joules = {};     // of the steps that were measured
  std::int64_t bytes_sent = 0;           // that left this device

  std::vector<std::string> models = {};  // that did a step, by name, each once
  std::vector<ScoredChoice> choices = {};
  std::vector<float> features = {};  // of the request, where an Observer read some

  bool failed() const { return !error.empty(); }
};

/// Fills in all that the receipt tells. `large`: names of the models that count as large.
void add_receipt(Outcome& outcome, const Receipt& receipt, const std::set<std::string>& large);

/// For the journal: the members by their names, with nothing lost.
boost::json::object to_json(const Outcome& outcome);
/// `bad_request` where it is not what `to_json` makes.
Result<Outcome> outcome_from(const boost::json::value& json);

}  // namespace lichen::eval
