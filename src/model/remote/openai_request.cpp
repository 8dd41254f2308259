#include "model/remote/openai_request.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/utf8.h"

namespace lichen::model {

namespace json = boost::json;

namespace {

/// Writes fields and remembers the first thing that cannot be written.
class Writer {
 public:
  explicit Writer(json::object& out) : out_(out) {}

  void text(std::string_view key, const std::string& value) {
    if (!base::valid_utf8(value)) problem(std::string(key) + " is not valid UTF-8");
    out_[key] = value;
  }

  void number(std::string_view key, const std::optional<float>& value) {
    if (value) out_[key] = exact(key, *value);
  }

  /// The double nearest to what a person would write for the float: 0.7, not 0.699999988.
  double exact(std::string_view key, float value) {
    if (!std::isfinite(value)) {
      problem(std::string(key) + " is not a finite number");
      return 0;
    }
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    double result = value;
    std::from_chars(digits, written.ptr, result);
    return result;
  }

  void problem(std::string what) {
    if (!problem_) problem_ = Error{Errc::bad_request, std::move(what)};
  }
  const std::optional<Error>& problem() const { return problem_; }

 private:
  json::object& out_;
  std::optional<Error> problem_;
};

json::object write_message(const Message& message, std::optional<Error>& problem) {
  json::object out;
  Writer writer(out);
  writer.text("role", message.role);
  writer.text("content", message.content);
  if (message.content.empty() && !message.tool_calls.empty()) out["content"] = nullptr;
  if (!message.name.empty()) writer.text("name", message.name);
  if (!message.tool_call_id.empty()) writer.text("tool_call_id", message.tool_call_id);
  if (!message.tool_calls.empty()) out["tool_calls"] = message.tool_calls;
  if (!problem) problem = writer.problem();
  return out;
}

void write_sampling(const Sampling& sampling, json::object& out, Writer& writer) {
  writer.number("temperature", sampling.temperature);
  if (sampling.top_k) out["top_k"] = *sampling.top_k;
  writer.number("top_p", sampling.top_p);
  writer.number("min_p", sampling.min_p);
  writer.number("repetition_penalty", sampling.repetition_penalty);
  writer.number("presence_penalty", sampling.presence_penalty);
  writer.number("frequency_penalty", sampling.frequency_penalty);
  if (sampling.seed) out["seed"] = *sampling.seed;
  if (sampling.logit_bias.empty()) return;
  json::object bias;
  for (const auto& [token, value] : sampling.logit_bias) {
    bias[std::to_string(token)] = writer.exact("logit_bias", value);
  }
  out["logit_bias"] = std::move(bias);
}

json::object response_format(const Format& format) {
  if (format.json_object) return {{"type", "json_object"}};
  json::object described{
      {"name", format.json_schema_name.empty() ? "answer" : format.json_schema_name},
      {"schema", *format.json_schema}};
  if (format.json_schema_strict) described["strict"] = *format.json_schema_strict;
  return {{"type", "json_schema"}, {"json_schema", std::move(described)}};
}

/// The answer's beginning as the last message, with the endpoint's word for going on with it.
void write_begun(const std::string& begun, Continuation continues, json::object& out,
                 std::optional<Error>& problem) {
  json::object message = write_message({.role = "assistant", .content = begun}, problem);
  if (continues == Continuation::prefix) message["prefix"] = true;
  out["messages"].get_array().push_back(std::move(message));
  if (continues != Continuation::final_message) return;
  out["continue_final_message"] = true;
  out["add_generation_prompt"] = false;
}

std::optional<Error> unsupported(const Request& request, const RequestStyle& style) {
  const auto no = [](std::string why) { return Error{Errc::unsupported, std::move(why)}; };
  if (!request.begun.empty()) {
    if (!request.prompt && style.continues == Continuation::none) {
      return no("`" + style.model +
                "` is not known to go on with an answer that another has begun; where its endpoint "
                "can, `continues` says how");
    }
    if (!request.tools.empty() || !request.format.free()) {
      return no(
          "an answer that another has begun can have neither tools nor a response_format at a "
          "remote endpoint");
    }
  }
  if (!request.format.gbnf.empty()) {
    return no(
        "a GBNF grammar needs a local model: endpoints have no field for one; a json_schema "
        "is passed on");
  }
  if (!request.prompt) return std::nullopt;
  if (!request.format.free()) {
    return no("a raw prompt cannot have a response_format at a remote endpoint; send messages");
  }
  if (!request.tools.empty()) {
    return no("a raw prompt cannot have tools at a remote endpoint; send messages");
  }
  return std::nullopt;
}

void write_logprobs(const Request& request, json::object& out) {
  if (!request.logprobs) return;
  if (request.prompt) {  // the older API: one number for both
    out["logprobs"] = request.top_logprobs;
    return;
  }
  out["logprobs"] = true;
  if (request.top_logprobs > 0) out["top_logprobs"] = request.top_logprobs;
}

}  // namespace

Result<OpenAiRequest> write_answer_request(const Request& request, const RequestStyle& style) {
  if (auto error = unsupported(request, style)) return std::unexpected(std::move(*error));
  json::object out;
  Writer writer(out);
  std::optional<Error> problem;
  out["model"] = style.model;
  if (request.prompt) {
    writer.text("prompt", *request.prompt + request.begun);
  } else {
    json::array messages;
    messages.reserve(request.messages.size());
    for (const auto& message : request.messages) {
      json::object written = write_message(message, problem);
      if (style.returns_reasoning && !message.reasoning.empty()) {
        written["reasoning_content"] = message.reasoning;
      }
      messages.push_back(std::move(written));
    }
    out["messages"] = std::move(messages);
    if (!request.begun.empty()) write_begun(request.begun, style.continues, out, problem);
  }
  write_sampling(request.sampling, out, writer);
  if (request.max_tokens) {
    out[request.prompt ? std::string("max_tokens") : style.max_tokens_field] = *request.max_tokens;
  }
  if (!request.stop.empty()) {
    json::array stop;
    for (const auto& text : request.stop) {
      if (!base::valid_utf8(text)) writer.problem("stop is not valid UTF-8");
      stop.emplace_back(text);
    }
    out["stop"] = std::move(stop);
  }
  write_logprobs(request, out);
  if (!request.format.free()) out["response_format"] = response_format(request.format);
  if (!request.tools.empty()) {
    out["tools"] = request.tools;
    if (!request.tool_choice.is_null()) out["tool_choice"] = request.tool_choice;
    // True is every endpoint's default, and some do not know the field.
    if (!request.parallel_tool_calls) out["parallel_tool_calls"] = false;
  }
  if (style.stream) {
    out["stream"] = true;
    out["stream_options"] = {{"include_usage", true}};
  }
  if (!problem) problem = writer.problem();
  if (problem) return std::unexpected(std::move(*problem));
  return OpenAiRequest{request.prompt ? "/completions" : "/chat/completions", json::serialize(out)};
}

Result<OpenAiRequest> write_embedding_request(std::span<const std::string> texts,
                                              const std::string& model) {
  json::array input;
  for (const auto& text : texts) {
    if (!base::valid_utf8(text)) return fail(Errc::bad_request, "a text is not valid UTF-8");
    input.emplace_back(text);
  }
  const json::object out = {
      {"model", model}, {"input", std::move(input)}, {"encoding_format", "float"}};
  return OpenAiRequest{"/embeddings", json::serialize(out)};
}

std::string_view without_model(std::string_view body, const std::string& model) {
  const std::string named = R"({"model":)" + json::serialize(json::string(model));
  return body.starts_with(named) ? body.substr(named.size()) : body;
}

}  // namespace lichen::model
