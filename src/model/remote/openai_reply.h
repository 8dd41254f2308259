// An endpoint's reply, whole or in deltas, put together to an Answer.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "model/remote/openai_error.h"

namespace lichen::model {

/// Token counts as the endpoint gives them.
struct Usage {
  std::int64_t prompt = 0;
  std::int64_t cached = 0;  // of `prompt`
  std::int64_t completion = 0;
};

/// What one event adds to the answer.
struct Delta {
  std::string text;  // whole UTF-8 characters
  int tokens = 0;    // that `text` covers: one for each delta, or as many as have log-probabilities
  std::vector<AnswerToken> logprobs;
  std::string reasoning = {};  // what the model thinks first
};

/// Collects a reply of /chat/completions or /completions. Feed it each event's data, or the one
/// body of a reply that is not streamed. A plain value; one coroutine at a time.
class OpenAiReply {
 public:
  /// `context` must outlive it.
  explicit OpenAiReply(const ErrorContext& context) : context_(&context) {}

  /// Fails on what is not JSON of the expected form, and with the endpoint's own error when the
  /// reply carries one in place of an answer.
  std::expected<Delta, Failure> add(std::string_view json);
  /// The rest of the text, when the last bytes of a character never came.
  Delta flush();

  /// Whether the model has begun to write (text, a tool call, reasoning).
  bool started() const { return started_; }
  /// Whether a choice was there at all.
  bool answered() const { return answered_; }
  bool finished() const { return finish_.has_value(); }
  /// The endpoint's content filter ended it.
  bool filtered() const { return finish_ == Finish::content_filter; }
  bool empty() const { return text_.empty() && calls_.empty(); }
  /// Whether the deltas so far had text or reasoning.
  bool has_shown() const { return !text_.empty() || !reasoning_.empty(); }
  /// Nothing but text was written: no tool call, no reasoning.
  bool only_text() const {
    return bytes_ == static_cast<std::int64_t>(text_.size() + partial_.size());
  }
  const std::optional<Usage>& usage() const { return usage_; }
  /// Size of what was written, for estimates: text, tool calls and visible reasoning.
  std::int64_t bytes() const { return bytes_; }

  /// The answer without token counts and authors. Ends the collecting.
  Answer take();

 private:
  using Status = std::expected<void, Failure>;
  Status add_choice(const boost::json::object& choice, Delta& delta);
  Status add_calls(const boost::json::array& calls);
  void add_text(std::string_view text, Delta& delta);
  void read_finish(std::string_view reason);
  void read_usage(const boost::json::object& usage);
  std::unexpected<Failure> malformed(std::string_view what, std::string_view json) const;

  const ErrorContext* context_;
  std::string text_;
  std::string reasoning_;
  std::string partial_;     // bytes of a character that is not complete
  int partial_tokens_ = 0;  // tokens that wait with them
  std::vector<AnswerToken> partial_logprobs_;
  std::vector<boost::json::object> calls_;
  std::vector<AnswerToken> tokens_;
  std::optional<Finish> finish_;
  std::optional<Usage> usage_;
  std::int64_t bytes_ = 0;
  bool started_ = false;
  bool answered_ = false;
};

}  // namespace lichen::model
