#include "mechanisms/distillation/capture_form.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <utility>

namespace lichen::mechanisms::capture_form {
namespace {

namespace json = boost::json;

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Message message_from(const json::object& object) {
  Message message{.role = text_in(object, "role"), .content = text_in(object, "content")};
  message.name = text_in(object, "name");
  message.tool_call_id = text_in(object, "tool_call_id");
  if (const auto* calls = object.if_contains("tool_calls"); calls != nullptr && calls->is_array()) {
    message.tool_calls = calls->get_array();
  }
  return message;
}

}  // namespace

json::object json_of_message(const Message& message) {
  json::object object{{"role", message.role}, {"content", message.content}};
  if (!message.name.empty()) object["name"] = message.name;
  if (!message.tool_call_id.empty()) object["tool_call_id"] = message.tool_call_id;
  if (!message.tool_calls.empty()) object["tool_calls"] = message.tool_calls;
  return object;
}

TokenRows::TokenRows(std::size_t tokens, int alternatives)
    : spans(2 * tokens),
      top(tokens * static_cast<std::size_t>(alternatives), kNoPiece),
      logprobs(top.size(), -std::numeric_limits<Half>::infinity()),
      tail(tokens) {}

TokenRows rows_of(const std::vector<CapturedToken>& tokens, int alternatives) {
  const auto width = static_cast<std::size_t>(alternatives);
  TokenRows rows(tokens.size(), alternatives);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const CapturedToken& token = tokens[i];
    rows.spans[2 * i] = token.begin;
    rows.spans[2 * i + 1] = token.end;
    for (std::size_t j = 0; j < std::min(width, token.top.size()); ++j) {
      rows.top[i * width + j] = token.top[j].piece;
      rows.logprobs[i * width + j] = static_cast<Half>(token.top[j].logprob);
    }
    rows.tail[i] = static_cast<Half>(token.tail);
  }
  return rows;
}

std::vector<CapturedToken> tokens_of(const TokenRows& rows, int alternatives) {
  const auto width = static_cast<std::size_t>(alternatives);
  std::vector<CapturedToken> tokens(rows.tail.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    CapturedToken& token = tokens[i];
    token.begin = rows.spans[2 * i];
    token.end = rows.spans[2 * i + 1];
    for (std::size_t j = 0; j < width && rows.top[i * width + j] != kNoPiece; ++j) {
      token.top.push_back({.piece = rows.top[i * width + j],
                           .logprob = static_cast<float>(rows.logprobs[i * width + j])});
    }
    token.tail = static_cast<float>(rows.tail[i]);
  }
  return tokens;
}

std::string json_of(const CapturedExample& example) {
  json::array messages;
  for (const Message& message : example.messages) messages.push_back(json_of_message(message));
  json::object object{{"id", example.id},
                      {"messages", std::move(messages)},
                      {"answer", example.answer},
                      {"ended", example.ended}};
  if (!example.rationale.empty()) object["rationale"] = example.rationale;
  return json::serialize(object);
}

Result<CapturedExample> example_from(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* messages = object == nullptr ? nullptr : object->if_contains("messages");
  if (messages == nullptr || !messages->is_array()) {
    return fail(Errc::bad_request, "no example of a capture");
  }
  CapturedExample example{.id = text_in(*object, "id"),
                          .answer = text_in(*object, "answer"),
                          .rationale = text_in(*object, "rationale")};
  for (const json::value& message : messages->get_array()) {
    if (!message.is_object()) return fail(Errc::bad_request, "no example of a capture");
    example.messages.push_back(message_from(message.get_object()));
  }
  const json::value* ended = object->if_contains("ended");
  example.ended = ended == nullptr || !ended->is_bool() || ended->get_bool();
  return example;
}

}  // namespace lichen::mechanisms::capture_form
