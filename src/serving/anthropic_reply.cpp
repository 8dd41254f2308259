#include "serving/anthropic_reply.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/document.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

std::string_view stop_reason(const Answer& answer) {
  switch (answer.finish) {
    case Finish::length: return "max_tokens";
    case Finish::tool_calls: return "tool_use";
    case Finish::content_filter: return "refusal";
    case Finish::stop: break;
  }
  return answer.stop_string.empty() ? "end_turn" : "stop_sequence";
}

json::value stop_sequence(const Answer& answer) {
  return answer.stop_string.empty() ? json::value(nullptr) : json::value(answer.stop_string);
}

json::object usage_of(const Answer& answer) {
  return {{"input_tokens", answer.prompt_tokens - answer.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", answer.cached_tokens},
          {"output_tokens", answer.completion_tokens}};
}

struct ToolUse {
  std::string id, name, arguments;
};

ToolUse tool_use_of(const json::value& call) {
  ToolUse use;
  const auto* object = call.if_object();
  const auto text = [](const json::object* in, std::string_view key) {
    const auto* value = in == nullptr ? nullptr : in->if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  use.id = text(object, "id");
  const auto* function = object == nullptr ? nullptr : object->if_contains("function");
  const auto* called = function == nullptr ? nullptr : function->if_object();
  use.name = text(called, "name");
  use.arguments = text(called, "arguments");
  return use;
}

/// What is no object, which a model without a grammar may write, is given as {"arguments": text}.
json::value input_of(const std::string& arguments) {
  boost::system::error_code error;
  json::value parsed = json::parse(arguments.empty() ? "{}" : arguments, error);
  if (!error && parsed.is_object()) return parsed;
  return json::object{{"arguments", arguments}};
}

}  // namespace

json::object AnthropicReply::message(json::array content, json::value stop_reason) const {
  return {{"id", "msg_" + head_.id},  {"type", "message"},  {"role", "assistant"},
          {"model", head_.model},     {"content", content}, {"stop_reason", stop_reason},
          {"stop_sequence", nullptr}, {"usage", nullptr}};
}

std::string AnthropicReply::whole(std::span<const Answer> choices) {
  const Answer& answer = choices.front();
  json::array content;
  if (!answer.reasoning.empty()) {
    content.push_back(
        json::object{{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", ""}});
  }
  if (!answer.text.empty()) {
    content.push_back(json::object{{"type", "text"}, {"text", answer.text}});
  }
  for (const json::value& call : answer.tool_calls) {
    const ToolUse use = tool_use_of(call);
    content.push_back(json::object{{"type", "tool_use"},
                                   {"id", use.id},
                                   {"name", use.name},
                                   {"input", input_of(use.arguments)}});
  }
  json::object reply = message(std::move(content), json::value(stop_reason(answer)));
  reply["stop_sequence"] = stop_sequence(answer);
  reply["usage"] = usage_of(answer);
  if (!answer.citations.empty()) reply["lichen"] = {{"citations", base::to_json(answer.citations)}};
  return json::serialize(reply);
}

void AnthropicReply::start(std::string& out) {
  json::object begun = message({}, nullptr);
  begun["usage"] = usage_of({});
  add_event(
      out, "message_start",
      json::serialize(json::object{{"type", "message_start"}, {"message", std::move(begun)}}));
}

void AnthropicReply::open(std::string& out, Block block) {
  if (block_ == block) return;
  close(out);
  const bool thinks = block == Block::thinking;
  const json::object content =
      thinks ? json::object{{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}
             : json::object{{"type", "text"}, {"text", ""}};
  add_event(out, "content_block_start",
            json::serialize(json::object{
                {"type", "content_block_start"}, {"index", index_}, {"content_block", content}}));
  block_ = block;
}

void AnthropicReply::close(std::string& out) {
  if (block_ == Block::none) return;
  if (block_ == Block::thinking) delta(out, "signature_delta", "signature", "");
  add_event(out, "content_block_stop",
            json::serialize(json::object{{"type", "content_block_stop"}, {"index", index_}}));
  block_ = Block::none;
  ++index_;
}

void AnthropicReply::delta(std::string& out, std::string_view type, std::string_view key,
                           std::string_view text) {
  // The event of each token: put together without a tree of values.
  out.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
  out.append(std::to_string(index_)).append(",\"delta\":{\"type\":\"").append(type);
  out.append("\",\"").append(key).append("\":");
  out.append(json::serialize(json::string_view(text))).append("}}\n\n");
}

void AnthropicReply::piece(std::string& out, std::size_t /*choice*/, const Piece& piece) {
  if (!piece.reasoning.empty()) {
    open(out, Block::thinking);
    delta(out, "thinking_delta", "thinking", piece.reasoning);
    thinking_ += piece.reasoning.size();
  }
  if (!piece.text.empty()) {
    open(out, Block::text);
    delta(out, "text_delta", "text", piece.text);
    text_ += piece.text.size();
  }
}

void AnthropicReply::rest(std::string& out, Block block, std::string_view whole, std::size_t sent) {
  if (whole.size() <= sent) return;
  open(out, block);
  const bool thinks = block == Block::thinking;
  delta(out, thinks ? "thinking_delta" : "text_delta", thinks ? "thinking" : "text",
        whole.substr(sent));
}

void AnthropicReply::tool_use(std::string& out, const json::value& call) {
  close(out);
  const ToolUse use = tool_use_of(call);
  const json::object content{
      {"type", "tool_use"}, {"id", use.id}, {"name", use.name}, {"input", json::object()}};
  add_event(out, "content_block_start",
            json::serialize(json::object{
                {"type", "content_block_start"}, {"index", index_}, {"content_block", content}}));
  delta(out, "input_json_delta", "partial_json", json::serialize(input_of(use.arguments)));
  add_event(out, "content_block_stop",
            json::serialize(json::object{{"type", "content_block_stop"}, {"index", index_}}));
  ++index_;
}

void AnthropicReply::end(std::string& out, std::size_t /*choice*/, const Answer& answer) {
  if (text_ == 0) rest(out, Block::thinking, answer.reasoning, thinking_);
  rest(out, Block::text, answer.text, text_);
  close(out);
  for (const json::value& call : answer.tool_calls) tool_use(out, call);
  json::object event{
      {"type", "message_delta"},
      {"delta", {{"stop_reason", stop_reason(answer)}, {"stop_sequence", stop_sequence(answer)}}},
      {"usage", usage_of(answer)}};
  if (!answer.citations.empty()) event["lichen"] = {{"citations", base::to_json(answer.citations)}};
  add_event(out, "message_delta", json::serialize(event));
}

void AnthropicReply::done(std::string& out) {
  add_event(out, "message_stop", R"({"type":"message_stop"})");
}

void AnthropicReply::error(std::string& out, const ApiError& error) {
  add_event(out, "error", error_json(error, ErrorForm::anthropic));
}

}  // namespace lichen::serving
