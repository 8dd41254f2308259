// What is asked: messages or a raw prompt, how to sample, and in which form to answer.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lichen {

struct Message {
  std::string role;     // "system", "user", "assistant" or "tool"
  std::string content;  // UTF-8 text
  std::string name = {};
  std::string tool_call_id = {};       // set when role is "tool"
  boost::json::array tool_calls = {};  // set when an assistant called tools; OpenAI's form
  std::string reasoning = {};          // what an assistant thought before it answered
};

/// How the next token is chosen. An empty option means the model's own default: for a local model
/// its `sampling:` block in the configuration and otherwise greedy; for a remote one whatever the
/// endpoint does when the field is absent.
struct Sampling {
  std::optional<float> temperature = {};          // 0 is greedy; 0 to 2
  std::optional<int> top_k = {};                  // 0 is off
  std::optional<float> top_p = {};                // (0, 1], 1 is off
  std::optional<float> min_p = {};                // [0, 1), 0 is off
  std::optional<float> repetition_penalty = {};   // > 0, 1 is off
  std::optional<float> presence_penalty = {};     // -2 to 2
  std::optional<float> frequency_penalty = {};    // -2 to 2
  std::optional<std::int64_t> seed = {};          // any number
  std::map<std::int32_t, float> logit_bias = {};  // token id of the answering model -> -100 to 100
};

/// The form that the answer must have. At most one of the fields is set.
struct Format {
  std::string gbnf = {};                               // a GBNF grammar with a rule `root`
  std::optional<boost::json::value> json_schema = {};  // a JSON schema
  std::string json_schema_name = {};                   // passed on to remote endpoints
  std::optional<bool> json_schema_strict = {};         // likewise; local models always keep to it
  bool json_object = false;                            // any JSON object

  bool free() const { return gbnf.empty() && !json_schema && !json_object; }
};

struct Request {
  std::vector<Message> messages = {};
  /// A raw prompt, continued as it stands without a chat template. Set instead of `messages`.
  std::optional<std::string> prompt = {};
  /// A text of any length that the question is about; goes with `messages`. A model reads it in
  /// front of its question, `extract` in chunks (see there who sees what).
  std::optional<std::string> document = {};
  /// How the answer begins, which somebody else has written: the model goes on right behind it, and
  /// its answer does not repeat it. Needs a model that `continues`; goes with no tools.
  std::string begun = {};

  Sampling sampling = {};
  Format format = {};
  std::optional<int> max_tokens = {};  // tokens of the answer; none: until the context is full
  std::vector<std::string> stop = {};  // the answer ends before the first of these
  bool logprobs = false;               // log-probability of each token of the answer
  int top_logprobs = 0;                // and of this many alternatives; 0 to 20

  boost::json::array tools = {};        // OpenAI's form
  boost::json::value tool_choice = {};  // null, "none", "auto", "required" or an object
  bool parallel_tool_calls = true;
};

}  // namespace lichen
