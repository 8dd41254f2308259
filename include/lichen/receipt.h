// The receipt of a turn: what each step cost, what was decided and why, who wrote which tokens.
// Plain data; written by the turn, stored by the ledger, shown by the CLI and the server.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen {

/// One use of one model within a turn.
struct Step {
  std::string model;
  std::string role;             // what for: "answer", "draft", "verify", "embed", ...
  std::int64_t tokens_in = 0;   // prompt tokens, cached ones included
  std::int64_t tokens_out = 0;  // generated tokens
  std::int64_t tokens_cached = 0;
  bool estimated = false;       // token counts are our estimate: the endpoint gave none
  bool remote = false;          // the prompt left this device
  std::string upstream = {};    // which of a remote model's several urls answered: its host
  std::int64_t bytes_sent = 0;  // bytes of request body that left this device
  double queued_ms = 0;
  double prefill_ms = 0;              // remote: until the first token
  double decode_ms = 0;               // remote: from the first token to the last
  std::optional<double> usd = {};     // none: the model has no price
  std::optional<double> joules = {};  // none: the machine offers no counter
};

/// US dollars per million tokens.
struct Price {
  double input = 0;
  double output = 0;
  std::optional<double> cached_input = {};  // none: as `input`

  /// Cost of a step's tokens in USD.
  double usd(const Step& step) const;
};

/// What a mechanism decided, in its own words.
struct Decision {
  std::string mechanism;  // "cascade"
  std::string choice;     // "large"
  std::string reason;     // "mean log-prob -0.81 under threshold -0.25"
  /// The number that was compared with `threshold`, where the choice between small and large was
  /// made by one: the larger it is, the surer that small suffices. So what any other threshold
  /// would have chosen can be told afterwards. None: the choice had another cause.
  std::optional<double> score = {};
  std::optional<double> threshold = {};
};

/// A run of consecutive tokens of the answer with one author.
struct Stretch {
  std::string model;
  std::int64_t tokens = 0;
  std::int64_t bytes = 0;  // UTF-8 bytes of the answer's text
};

/// Tokens that were guessed before the answering model chose them.
struct DraftCount {
  std::string author;         // the model that guessed, or "copy": taken from the text before
  std::int64_t drafted = 0;   // that the answering model has checked
  std::int64_t accepted = 0;  // of these, those that stand in the answer
};

/// What a user, or a check, said of the answer afterwards.
struct Feedback {
  double score = 0;          // 0, useless, to 1, right
  std::string comment = {};  // UTF-8
};
inline constexpr std::size_t kMaxFeedbackComment = 4'096;  // bytes
/// `bad_request`: a score out of range or no number, a comment that is too long or not UTF-8.
Result<void> check(const Feedback& feedback);

struct Receipt {
  std::string id;    // "rcpt_" and a ULID: sorts by time
  std::string plan;  // the plan or model that was asked for
  std::string key = {};  // the id of the key that it was asked with; empty: none
  std::chrono::system_clock::time_point started = {};
  std::vector<Step> steps = {};
  std::vector<Decision> decisions = {};
  /// In the order of the answer. When it failed: of the text that had been shown by then.
  std::vector<Stretch> authors = {};
  std::vector<DraftCount> drafts = {};  // of all steps, one for each author
  std::optional<double> first_token_ms = {};
  double total_ms = 0;
  std::string finish = {};  // "stop", "length", "tool_calls"; empty when it failed
  std::string error = {};   // Errc's name when it failed
  std::optional<Feedback> feedback = {};
  /// What was asked, where the configuration has that recorded. Not part of the JSON form, and
  /// written only: receipts that are read back have none (Ledger::rated_prompts).
  std::optional<std::string> prompt = {};
};

/// Sums over a receipt's steps. USD and joules: of the steps that have them, none when none has.
struct Totals {
  std::int64_t tokens_in = 0;
  std::int64_t tokens_out = 0;
  std::int64_t bytes_sent = 0;
  std::optional<double> usd = {};
  std::optional<double> joules = {};
};
Totals totals(const Receipt& receipt);

/// Adds to what its author has guessed.
void add_drafts(Receipt& receipt, const DraftCount& count);

/// JSON form, the same in `lichen run --json`, `/v1/receipts/ID` and the ledger.
boost::json::object to_json(const Receipt& receipt);

}  // namespace lichen
