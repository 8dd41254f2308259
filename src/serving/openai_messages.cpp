#include "serving/openai_messages.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "serving/request_fields.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

/// Text parts, joined. A part of another kind is `unsupported`: dropping it would change the
/// question.
std::string read_parts(JsonFields& message, const json::array& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size() && !message.failed(); ++i) {
    const std::string key = element("content", i);
    const auto* object = parts[i].if_object();
    if (object == nullptr) {
      message.wrong(key, "must be an object with `type`");
      break;
    }
    JsonFields part(*object, message.path(key) + ".");
    const auto type = part.text("type").value_or("");
    const std::string_view field = type == "refusal" ? "refusal" : "text";
    if (type == "text" || type == "refusal") {
      const auto piece = part.text(field);
      if (!piece) part.wrong(field, "is required and must be a string");
      text += piece.value_or("");
    } else if (type == "image_url" || type == "input_audio" || type == "file") {
      part.wrong("type", "`" + std::string(type) + "` parts cannot be answered here; text only",
                 Errc::unsupported);
    } else {
      part.wrong("type", "must be `text`");
    }
    message.adopt(part);
  }
  return text;
}

std::string read_content(JsonFields& message, bool required) {
  const auto* content = message.any("content");
  if (content == nullptr) {
    if (required) message.wrong("content", "is required");
    return {};
  }
  if (const auto* text = content->if_string()) return std::string(*text);
  if (content->is_array()) {
    const auto* parts = message.array("content", kMaxParts);
    return parts == nullptr ? std::string() : read_parts(message, *parts);
  }
  message.wrong("content", "must be a string or an array of text parts");
  return {};
}

void check_tool_call(JsonFields& message, const std::string& key, const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return message.wrong(key, "must be an object");
  JsonFields call(*object, message.path(key) + ".");
  if (!call.text("id")) call.wrong("id", "is required");
  if (call.text("type").value_or("function") != "function") {
    call.wrong("type", "must be `function`");
  }
  if (const auto* called = call.object("function")) {
    JsonFields function(*called, call.path("function."));
    if (!valid_name(function.text("name").value_or(""))) {
      function.wrong("name", "must be 1 to 64 letters, digits, _ or -");
    }
    if (!function.text("arguments")) function.wrong("arguments", "is required: JSON as a string");
    call.adopt(function);
  } else {
    call.wrong("function", "is required");
  }
  message.adopt(call);
}

Message read_message(JsonFields& in) {
  Message message;
  const auto role =
      in.choice("role", {"system", "developer", "user", "assistant", "tool"}).value_or("");
  if (role.empty()) in.wrong("role", "is required");
  message.role = role == "developer" ? "system" : role;
  message.name = in.text("name").value_or("");
  if (role == "assistant") {
    message.reasoning = in.text("reasoning_content").value_or("");
    if (const auto* calls = in.array("tool_calls", kMaxTools)) {
      for (std::size_t i = 0; i < calls->size(); ++i) {
        check_tool_call(in, element("tool_calls", i), (*calls)[i]);
      }
      message.tool_calls = json::array(*calls, json::storage_ptr{});
    }
  } else if (in.any("tool_calls") != nullptr) {
    in.wrong("tool_calls", "only an assistant's message can have them");
  }
  if (role == "tool") {
    message.tool_call_id = in.text("tool_call_id").value_or("");
    if (message.tool_call_id.empty()) in.wrong("tool_call_id", "is required");
  }
  message.content = read_content(in, role != "assistant" || message.tool_calls.empty());
  return message;
}

std::string read_tool(JsonFields& body, const std::string& key, const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    body.wrong(key, "must be an object");
    return {};
  }
  std::string name;
  JsonFields tool(*object, key + ".");
  if (tool.text("type").value_or("") != "function") tool.wrong("type", "must be `function`");
  if (const auto* described = tool.object("function")) {
    JsonFields function(*described, tool.path("function."));
    name = function.text("name").value_or("");
    if (!valid_name(name)) function.wrong("name", "must be 1 to 64 letters, digits, _ or -");
    function.text("description");
    function.object("parameters");
    function.flag("strict");
    tool.adopt(function);
  } else {
    tool.wrong("function", "is required");
  }
  body.adopt(tool);
  return name;
}

void read_tool_choice(JsonFields& body, const std::vector<std::string>& names, Request& request) {
  const auto* choice = body.any("tool_choice");
  if (choice == nullptr) return;
  if (choice->is_string()) {
    const auto word = body.choice("tool_choice", {"none", "auto", "required"}).value_or("");
    if (word == "required" && names.empty()) body.wrong("tool_choice", "there are no tools");
  } else if (const auto* object = body.object("tool_choice")) {
    JsonFields forced(*object, "tool_choice.");
    if (forced.text("type").value_or("") != "function") {
      forced.wrong("type", "must be `function`");
    }
    const auto* function = forced.object("function");
    const auto* name = function == nullptr ? nullptr : function->if_contains("name");
    if (name == nullptr || !name->is_string() ||
        std::ranges::find(names, std::string_view(name->get_string())) == names.end()) {
      forced.wrong("function.name", "must be the name of one of the tools");
    }
    body.adopt(forced);
  }
  if (!body.failed()) request.tool_choice = json::value(*choice, json::storage_ptr{});
}

}  // namespace

void read_messages(JsonFields& body, int max_messages, Request& request) {
  const auto* messages = body.any("messages");
  if (messages == nullptr || (messages->is_array() && messages->get_array().empty())) {
    return body.wrong("messages", "is required: at least one message");
  }
  const auto* list = messages->if_array();
  if (list == nullptr) return body.wrong("messages", "must be an array");
  if (list->size() > static_cast<std::size_t>(max_messages)) {
    return body.wrong("messages",
                      "has " + std::to_string(list->size()) + " messages, the limit is " +
                          std::to_string(max_messages),
                      Errc::too_large);
  }
  request.messages.reserve(list->size());
  for (std::size_t i = 0; i < list->size() && !body.failed(); ++i) {
    const std::string key = element("messages", i);
    const auto* object = (*list)[i].if_object();
    if (object == nullptr) return body.wrong(key, "must be an object with `role` and `content`");
    JsonFields message(*object, key + ".");
    request.messages.push_back(read_message(message));
    body.adopt(message);
  }
}

void read_continuation(JsonFields& body, Request& request) {
  if (!body.flag("continue_final_message").value_or(false) || body.failed()) return;
  const Message& last = request.messages.back();
  if (last.role != "assistant" || !last.tool_calls.empty()) {
    return body.wrong("continue_final_message",
                      "needs an assistant's message with text as the last one");
  }
  if (body.flag("add_generation_prompt").value_or(false)) {
    return body.wrong("add_generation_prompt",
                      "excludes `continue_final_message`, which goes on with the last message");
  }
  request.begun = last.content;
  request.messages.pop_back();
}

void read_tools(JsonFields& body, Request& request) {
  if (body.any("functions") != nullptr || body.any("function_call") != nullptr) {
    body.wrong("functions", "this form was replaced by `tools`", Errc::unsupported);
  }
  std::vector<std::string> names;
  if (const auto* tools = body.array("tools", kMaxTools)) {
    for (std::size_t i = 0; i < tools->size(); ++i) {
      names.push_back(read_tool(body, element("tools", i), (*tools)[i]));
    }
    if (!body.failed()) request.tools = json::array(*tools, json::storage_ptr{});
  }
  read_tool_choice(body, names, request);
  request.parallel_tool_calls = body.flag("parallel_tool_calls").value_or(true);
}

}  // namespace lichen::serving
