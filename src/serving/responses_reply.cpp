#include "serving/responses_reply.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/document.h"
#include "serving/openai_reply.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

json::object text_part(std::string_view text, std::span<const AnswerToken> tokens) {
  return {{"type", "output_text"},
          {"text", text},
          {"annotations", json::array()},
          {"logprobs", logprobs_json(tokens)}};
}

json::object reasoning_part(std::string_view text) {
  return {{"type", "reasoning_text"}, {"text", text}};
}

json::object usage_of(const Answer& answer) {
  return {{"input_tokens", answer.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", answer.cached_tokens}}},
          {"output_tokens", answer.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", 0}}},
          {"total_tokens", answer.prompt_tokens + answer.completion_tokens}};
}

/// Of a response and of the message in it.
std::string_view status_of(const Answer& answer) {
  return ended_early(answer.finish) ? "incomplete" : "completed";
}

std::span<const AnswerToken> from(std::span<const AnswerToken> tokens, std::size_t first) {
  return tokens.subspan(std::min(first, tokens.size()));
}

}  // namespace

std::string ResponsesReply::item_id(std::string_view prefix) const {
  return std::string(prefix) + head_.id + "_" + std::to_string(output_.size());
}

json::object ResponsesReply::response(std::string_view status) const {
  json::object object{
      {"id", "resp_" + head_.id}, {"object", "response"},     {"created_at", head_.created},
      {"status", status},         {"error", nullptr},         {"incomplete_details", nullptr},
      {"model", head_.model},     {"output", output_},        {"previous_response_id", nullptr},
      {"store", false},           {"truncation", "disabled"}, {"usage", nullptr}};
  for (const auto& [key, value] : repeated_) object[key] = value;
  return object;
}

json::object ResponsesReply::of(const Answer& answer) const {
  json::object object = response(status_of(answer));
  if (ended_early(answer.finish)) {
    const bool filtered = answer.finish == Finish::content_filter;
    object["incomplete_details"] = {{"reason", filtered ? "content_filter" : "max_output_tokens"}};
  }
  object["usage"] = usage_of(answer);
  if (!answer.citations.empty()) {
    object["lichen"] = {{"citations", base::to_json(answer.citations)}};
  }
  return object;
}

json::object ResponsesReply::message_item(std::string_view status, json::array content) const {
  return {{"id", item_id("msg_")},
          {"type", "message"},
          {"status", status},
          {"role", "assistant"},
          {"content", std::move(content)}};
}

json::object ResponsesReply::reasoning_item(json::array content) const {
  return {{"id", item_id("rs_")},
          {"type", "reasoning"},
          {"summary", json::array()},
          {"content", std::move(content)}};
}

json::object ResponsesReply::call_item(const json::value& call, std::string_view status) const {
  const auto* object = call.if_object();
  const auto* function = object == nullptr ? nullptr : object->if_contains("function");
  const auto* called = function == nullptr ? nullptr : function->if_object();
  const auto member = [](const json::object* in, std::string_view key) {
    const auto* value = in == nullptr ? nullptr : in->if_contains(key);
    return value == nullptr ? json::value("") : *value;
  };
  return {{"id", item_id("fc_")},
          {"type", "function_call"},
          {"status", status},
          {"call_id", member(object, "id")},
          {"name", member(called, "name")},
          {"arguments", member(called, "arguments")}};
}

std::string ResponsesReply::whole(std::span<const Answer> choices) {
  const Answer& answer = choices.front();
  if (!answer.reasoning.empty()) {
    output_.push_back(reasoning_item({reasoning_part(answer.reasoning)}));
  }
  if (!answer.text.empty() || answer.tool_calls.empty()) {
    const auto tokens = logprobs_ ? std::span(answer.tokens) : std::span<const AnswerToken>();
    output_.push_back(message_item(status_of(answer), {text_part(answer.text, tokens)}));
  }
  for (const json::value& call : answer.tool_calls) {
    output_.push_back(call_item(call, "completed"));
  }
  return json::serialize(of(answer));
}

void ResponsesReply::event(std::string& out, std::string_view type, json::object fields) {
  fields["type"] = type;
  fields["sequence_number"] = number_++;
  add_event(out, type, json::serialize(fields));
}

void ResponsesReply::part_event(std::string& out, std::string_view type, json::object fields) {
  fields["item_id"] = item_id(item_ == Item::message ? "msg_" : "rs_");
  fields["output_index"] = output_.size();
  fields["content_index"] = 0;
  event(out, type, std::move(fields));
}

void ResponsesReply::start(std::string& out) {
  event(out, "response.created", {{"response", response("in_progress")}});
  event(out, "response.in_progress", {{"response", response("in_progress")}});
}

void ResponsesReply::open(std::string& out, Item item) {
  if (item_ == item) return;
  close(out);
  item_ = item;
  const json::object begun =
      item == Item::message ? message_item("in_progress", {}) : reasoning_item({});
  event(out, "response.output_item.added", {{"output_index", output_.size()}, {"item", begun}});
  part_event(out, "response.content_part.added",
             {{"part", item == Item::message ? text_part("", {}) : reasoning_part("")}});
}

void ResponsesReply::close(std::string& out) {
  if (item_ == Item::none) return;
  json::object item;
  if (item_ == Item::message) {
    part_event(out, "response.output_text.done", {{"text", written_}, {"logprobs", json::array()}});
    part_event(out, "response.content_part.done", {{"part", text_part(written_, {})}});
    item = message_item(status_, {text_part(written_, {})});
  } else {
    part_event(out, "response.reasoning_text.done", {{"text", written_}});
    part_event(out, "response.content_part.done", {{"part", reasoning_part(written_)}});
    item = reasoning_item({reasoning_part(written_)});
  }
  event(out, "response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
  output_.push_back(std::move(item));
  written_.clear();
  item_ = Item::none;
}

void ResponsesReply::text(std::string& out, std::string_view text,
                          std::span<const AnswerToken> tokens) {
  open(out, Item::message);
  text_ += text.size();
  tokens_ += tokens.size();
  written_ += text;
  part_event(out, "response.output_text.delta",
             {{"delta", text}, {"logprobs", logprobs_ ? logprobs_json(tokens) : json::array()}});
}

void ResponsesReply::reasoning(std::string& out, std::string_view text) {
  open(out, Item::reasoning);
  reasoning_ += text.size();
  written_ += text;
  part_event(out, "response.reasoning_text.delta", {{"delta", text}});
}

void ResponsesReply::piece(std::string& out, std::size_t /*choice*/, const Piece& piece) {
  if (!piece.reasoning.empty()) reasoning(out, piece.reasoning);
  if (!piece.text.empty() || !piece.logprobs.empty()) text(out, piece.text, piece.logprobs);
}

void ResponsesReply::function_call(std::string& out, const json::value& call) {
  close(out);
  json::object begun = call_item(call, "in_progress");
  const json::value arguments = begun.at("arguments");
  const json::value id = begun.at("id");
  begun["arguments"] = "";
  const std::size_t index = output_.size();
  event(out, "response.output_item.added", {{"output_index", index}, {"item", begun}});
  event(out, "response.function_call_arguments.delta",
        {{"item_id", id}, {"output_index", index}, {"delta", arguments}});
  event(out, "response.function_call_arguments.done",
        {{"item_id", id}, {"output_index", index}, {"arguments", arguments}});
  json::object item = call_item(call, "completed");
  event(out, "response.output_item.done", {{"output_index", index}, {"item", item}});
  output_.push_back(std::move(item));
}

void ResponsesReply::end(std::string& out, std::size_t /*choice*/, const Answer& answer) {
  if (text_ == 0 && answer.reasoning.size() > reasoning_) {
    reasoning(out, std::string_view(answer.reasoning).substr(reasoning_));
  }
  const auto rest = std::string_view(answer.text).substr(std::min(text_, answer.text.size()));
  const auto tokens = logprobs_ ? from(answer.tokens, tokens_) : std::span<const AnswerToken>();
  const bool silent = text_ == 0 && answer.tool_calls.empty();
  if (!rest.empty() || !tokens.empty() || silent) text(out, rest, tokens);
  status_ = status_of(answer);
  close(out);
  for (const json::value& call : answer.tool_calls) function_call(out, call);
  last_ = of(answer);
}

void ResponsesReply::done(std::string& out) {
  event(out, status_ == "completed" ? "response.completed" : "response.incomplete",
        {{"response", std::move(last_)}});
}

void ResponsesReply::error(std::string& out, const ApiError& error) {
  status_ = "incomplete";  // what is there so far
  close(out);
  json::object failed = response("failed");
  failed["error"] = {{"code", error_code(error)}, {"message", error.error.detail}};
  event(out, "response.failed", {{"response", std::move(failed)}});
  // Some clients end as if all were well after that one, and others know only the error within.
  const json::object said{{"type", error_type(error)},
                          {"code", error_code(error)},
                          {"message", error.error.detail},
                          {"param", nullptr}};
  event(out, "error",
        {{"code", said.at("code")},
         {"message", said.at("message")},
         {"param", nullptr},
         {"error", said}});
}

}  // namespace lichen::serving
