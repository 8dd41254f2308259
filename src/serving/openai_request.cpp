#include "serving/openai_request.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parser.hpp>
#include <charconv>
#include <limits>

#include "base/bounds.h"
#include "base/utf8.h"
#include "serving/json_fields.h"
#include "serving/openai_messages.h"
#include "serving/request_fields.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 128;  // JSON schemas nest deeply
constexpr std::size_t kMaxStops = 4;
constexpr std::size_t kMaxBiases = 4'096;
constexpr std::int64_t kMaxInt = std::numeric_limits<int>::max();

std::unexpected<ApiError> bad(std::string detail) {
  return std::unexpected(
      ApiError{.error = {.code = Errc::bad_request, .detail = std::move(detail)}});
}

std::map<std::int32_t, float> read_logit_bias(JsonFields& body) {
  std::map<std::int32_t, float> biases;
  const auto* object = body.object("logit_bias");
  if (object == nullptr) return biases;
  if (object->size() > kMaxBiases) {
    body.wrong("logit_bias", "must have at most " + std::to_string(kMaxBiases) + " entries");
    return biases;
  }
  JsonFields entries(*object, "logit_bias.");
  for (const auto& [key, value] : *object) {
    std::int32_t token = -1;
    const char* const end = key.data() + key.size();
    const auto [at, problem] = std::from_chars(key.data(), end, token);
    if (problem != std::errc{} || at != end || token < 0) {
      entries.wrong(key, "the key must be a token id");
      break;
    }
    if (value.is_null()) entries.wrong(key, "must be a number from -100 to 100");
    if (const auto bias = entries.real(key, -100, 100)) biases[token] = *bias;
  }
  body.adopt(entries);
  return biases;
}

Sampling read_sampling(JsonFields& body) {
  Sampling sampling;
  sampling.temperature = body.real("temperature", 0, 2);
  sampling.top_p = read_top_p(body);
  sampling.min_p = body.real("min_p", 0, 1);
  if (sampling.min_p == 1.0F) body.wrong("min_p", "must be under 1");
  if (const auto top_k = body.integer("top_k", 0, kMaxInt)) {
    sampling.top_k = static_cast<int>(*top_k);
  }
  sampling.repetition_penalty =
      body.real("repetition_penalty", base::kLeastRepetitionPenalty, base::kMostRepetitionPenalty);
  sampling.presence_penalty = body.real("presence_penalty", -2, 2);
  sampling.frequency_penalty = body.real("frequency_penalty", -2, 2);
  sampling.seed = body.integer("seed", std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max());
  sampling.logit_bias = read_logit_bias(body);
  return sampling;
}

void read_json_schema(JsonFields& form, Format& format) {
  const auto* described = form.object("json_schema");
  if (described == nullptr) return form.wrong("json_schema", "is required");
  JsonFields in(*described, form.path("json_schema."));
  format.json_schema_name = in.text("name").value_or("");
  if (format.json_schema_name.empty()) in.wrong("name", "is required");
  format.json_schema_strict = in.flag("strict");
  const auto* schema = in.any("schema");
  if (schema == nullptr || !(schema->is_object() || schema->is_bool())) {
    in.wrong("schema", "is required: a JSON schema");
  } else {
    format.json_schema.emplace(*schema, json::storage_ptr{});
  }
  form.adopt(in);
}

Format read_format(JsonFields& body) {
  Format format;
  if (const auto* object = body.object("response_format")) {
    JsonFields form(*object, "response_format.");
    const auto type = form.choice("type", {"text", "json_object", "json_schema"});
    if (!type) form.wrong("type", "is required");
    format.json_object = type == "json_object";
    if (type == "json_schema") read_json_schema(form, format);
    body.adopt(form);
  }
  if (const auto grammar = body.text("grammar")) {
    if (!format.free()) body.wrong("grammar", "excludes response_format");
    format.gbnf = *grammar;
  }
  return format;
}

/// What is the same in chat and text completions.
void read_common(JsonFields& body, RequestLimits limits, CompletionCall& call, Request& request) {
  call.model = body.text("model").value_or("");
  call.stream = body.flag("stream").value_or(false);
  if (const auto* options = body.object("stream_options")) {
    if (!call.stream) body.wrong("stream_options", "needs `stream`: true");
    JsonFields in(*options, "stream_options.");
    call.include_usage = in.flag("include_usage").value_or(false);
    body.adopt(in);
  }
  call.timeout = read_timeout(body);
  call.priority = read_priority(body);
  request.sampling = read_sampling(body);
  request.format = read_format(body);
  request.stop = read_stop(body, "stop", kMaxStops);
  const auto* key = "max_completion_tokens";
  request.max_tokens = read_max_tokens(body, body.any(key) ? key : "max_tokens", limits.max_tokens);
}

/// `n` requests that differ in their seeds.
void add_choices(const Request& request, std::uint64_t n, std::vector<Request>& requests) {
  for (std::uint64_t i = 0; i < n; ++i) {
    requests.push_back(request);
    auto& seed = requests.back().sampling.seed;
    if (seed) seed = static_cast<std::int64_t>(static_cast<std::uint64_t>(*seed) + i);  // wraps
  }
}

/// A string, or an array of them. `what` is for the message.
std::vector<std::string> read_texts(JsonFields& body, std::string_view key, std::size_t max) {
  std::vector<std::string> texts;
  const auto* value = body.any(key);
  if (value == nullptr) {
    body.wrong(key, "is required");
  } else if (const auto* text = value->if_string()) {
    texts.emplace_back(*text);
  } else if (value->is_array()) {
    const auto* list = body.array(key, max);
    if (list == nullptr) return {};
    if (list->empty()) body.wrong(key, "must not be empty");
    for (const auto& element : *list) {
      if (const auto* entry = element.if_string()) {
        texts.emplace_back(*entry);
      } else if (element.is_number() || element.is_array()) {
        body.wrong(key, "arrays of token ids cannot be used; give text", Errc::unsupported);
        return {};
      } else {
        body.wrong(key, "must be a string or an array of strings");
        return {};
      }
    }
  } else {
    body.wrong(key, "must be a string or an array of strings");
  }
  return texts;
}

}  // namespace

ApiResult<json::value> parse_body(std::string_view body) {
  std::array<unsigned char, 4'096> scratch;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::parser parser({}, options, scratch.data(), scratch.size());
  boost::system::error_code error;
  const std::size_t read = parser.write_some(body.data(), body.size(), error);
  if (!error && body.find_first_not_of(" \t\r\n", read) != body.npos) {
    error = json::error::extra_data;
  }
  if (!error) return parser.release();
  if (!base::valid_utf8(body)) return bad("the body is not valid UTF-8");
  if (body.find_first_not_of(" \t\r\n") == body.npos)
    return bad("the body is empty; JSON expected");
  if (error == json::error::too_deep) {
    return bad("the body's JSON is nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  return bad("the body is not valid JSON: " + error.message() + " near byte " +
             std::to_string(read));
}

ApiResult<CompletionCall> parse_chat(const json::object& object, RequestLimits limits) {
  JsonFields body(object);
  CompletionCall call;
  Request request;
  read_messages(body, limits.max_messages, request);
  read_continuation(body, request);
  request.document = read_document(body);
  read_tools(body, request);
  read_common(body, limits, call, request);
  request.logprobs = body.flag("logprobs").value_or(false);
  request.top_logprobs = static_cast<int>(body.integer("top_logprobs", 0, 20).value_or(0));
  if (request.top_logprobs > 0 && !request.logprobs) {
    body.wrong("top_logprobs", "needs `logprobs`: true");
  }
  for (const auto* key : {"audio", "prediction", "web_search_options"}) {
    if (body.any(key) != nullptr) body.wrong(key, "cannot be done here", Errc::unsupported);
  }
  call.logprobs = request.logprobs;
  const auto n = body.integer("n", 1, kMaxChoices).value_or(1);
  call.per_prompt = static_cast<std::size_t>(n);
  add_choices(request, static_cast<std::uint64_t>(n), call.requests);
  return body.result(std::move(call));
}

ApiResult<CompletionCall> parse_completion(const json::object& object, RequestLimits limits) {
  JsonFields body(object);
  CompletionCall call;
  call.dialect = Dialect::completion;
  Request request;
  if (body.any("document") != nullptr) {
    body.wrong("document", "goes with a chat's messages; a prompt can hold it itself",
               Errc::unsupported);
  }
  const auto prompts = read_texts(body, "prompt", kMaxChoices);
  read_common(body, limits, call, request);
  if (const auto logprobs = body.integer("logprobs", 0, 20)) {
    request.logprobs = true;
    request.top_logprobs = static_cast<int>(*logprobs);
  }
  call.logprobs = request.logprobs;
  const auto n = body.integer("n", 1, kMaxChoices).value_or(1);
  call.per_prompt = static_cast<std::size_t>(n);
  if (const auto best_of = body.integer("best_of", 1, kMaxChoices); best_of && *best_of != n) {
    body.wrong("best_of", "must equal `n`", Errc::unsupported);
  }
  if (!body.text("suffix").value_or("").empty()) {
    body.wrong("suffix", "filling in the middle cannot be done here", Errc::unsupported);
  }
  const bool echo = body.flag("echo").value_or(false);
  if (echo && (call.stream || request.logprobs || prompts.size() > 1)) {
    body.wrong("echo", "works with one prompt, without `stream` and `logprobs`", Errc::unsupported);
  }
  if (static_cast<std::int64_t>(prompts.size()) * n > kMaxChoices) {
    body.wrong("n", "prompts times `n` must be at most " + std::to_string(kMaxChoices));
  }
  if (echo) call.echo = prompts.front();
  for (const auto& prompt : prompts) {
    request.prompt = prompt;
    add_choices(request, static_cast<std::uint64_t>(n), call.requests);
  }
  return body.result(std::move(call));
}

ApiResult<EmbeddingCall> parse_embedding(const json::object& object) {
  JsonFields body(object);
  EmbeddingCall call;
  call.model = body.text("model").value_or("");
  call.texts = read_texts(body, "input", kMaxEmbeddings);
  if (std::ranges::any_of(call.texts, &std::string::empty)) {
    body.wrong("input", "must not hold an empty string");
  }
  call.priority = read_priority(body);
  call.base64 = body.choice("encoding_format", {"float", "base64"}) == "base64";
  if (body.any("dimensions") != nullptr) {
    body.wrong("dimensions", "the model's width cannot be changed", Errc::unsupported);
  }
  call.timeout = read_timeout(body);
  return body.result(std::move(call));
}

}  // namespace lichen::serving
