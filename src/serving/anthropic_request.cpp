#include "serving/anthropic_request.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <string>
#include <utility>

#include "base/document.h"
#include "serving/json_fields.h"
#include "serving/request_fields.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxStops = 16;

std::string type_of(JsonFields& block) {
  const auto type = block.text("type");
  if (!type) block.wrong("type", "is required");
  return std::string(type.value_or(""));
}

void not_here(JsonFields& block, std::string_view type) {
  block.wrong("type", "`" + std::string(type) + "` blocks cannot be answered here",
              Errc::unsupported);
}

/// Calls `read(block, type)` for each block of an array.
template <class Read>
void each_block(JsonFields& parent, const std::string& key, const json::array& blocks, Read read) {
  for (std::size_t i = 0; i < blocks.size() && !parent.failed(); ++i) {
    const auto* object = blocks[i].if_object();
    if (object == nullptr) return parent.wrong(element(key, i), "must be an object with `type`");
    JsonFields block(*object, parent.path(element(key, i)) + ".");
    read(block, type_of(block));
    parent.adopt(block);
  }
}

/// A string, or an array of text blocks, joined.
std::string read_texts(JsonFields& parent, const std::string& key) {
  const auto* value = parent.any(key);
  if (value == nullptr) return {};
  if (const auto* text = value->if_string()) return std::string(*text);
  std::string all;
  const auto* blocks = parent.array(key, kMaxParts);
  if (blocks == nullptr) return {};
  each_block(parent, key, *blocks, [&all](JsonFields& block, std::string_view type) {
    if (type != "text") return not_here(block, type);
    all += required_text(block, "text");
  });
  return all;
}

void read_document_block(JsonFields& block, Request& request) {
  const auto* object = block.object("source");
  if (object == nullptr) return block.wrong("source", "is required");
  JsonFields source(*object, block.path("source."));
  if (source.text("type").value_or("") != "text") {
    source.wrong("type", "only `text` documents can be read here", Errc::unsupported);
  }
  const std::string text = required_text(source, "data");
  if (const auto good = base::check_document(text); !source.failed() && !good) {
    source.wrong("data", "cannot be read: " + good.error().detail);
  }
  if (request.document) source.wrong("data", "there can be one document", Errc::unsupported);
  request.document = text;
  block.adopt(source);
}

Message tool_result(JsonFields& block) {
  Message message{.role = "tool", .content = read_texts(block, "content")};
  message.tool_call_id = required_text(block, "tool_use_id");
  if (block.flag("is_error").value_or(false)) message.content = "Error: " + message.content;
  return message;
}

/// Results of tools become messages of their own, in front of what the user says.
void read_user(JsonFields& in, const json::array& blocks, Request& request) {
  Message message{.role = "user", .content = {}};
  bool says = false;
  each_block(in, "content", blocks, [&](JsonFields& block, std::string_view type) {
    if (type == "text") {
      message.content += required_text(block, "text");
      says = true;
    } else if (type == "tool_result") {
      request.messages.push_back(tool_result(block));
    } else if (type == "document") {
      read_document_block(block, request);
    } else {
      not_here(block, type);
    }
  });
  if (says) request.messages.push_back(std::move(message));
}

json::object tool_call(JsonFields& block) {
  const std::string name = required_text(block, "name");
  if (!valid_name(name)) block.wrong("name", "must be 1 to 64 letters, digits, _ or -");
  const auto* input = block.object("input");
  if (input == nullptr) block.wrong("input", "is required: an object");
  const std::string arguments = input == nullptr ? "{}" : json::serialize(*input);
  return {{"id", required_text(block, "id")},
          {"type", "function"},
          {"function", {{"name", name}, {"arguments", arguments}}}};
}

Message read_assistant(JsonFields& in, const json::array& blocks) {
  Message message{.role = "assistant", .content = {}};
  each_block(in, "content", blocks, [&message](JsonFields& block, std::string_view type) {
    if (type == "text") {
      message.content += required_text(block, "text");
    } else if (type == "tool_use") {
      message.tool_calls.push_back(tool_call(block));
    } else if (type == "thinking") {
      message.reasoning += required_text(block, "thinking");
    } else {
      not_here(block, type);
    }
  });
  return message;
}

void read_message(JsonFields& in, Request& request) {
  const auto role = in.choice("role", {"user", "assistant"});
  if (!role) in.wrong("role", "is required");
  const auto* content = in.any("content");
  if (content == nullptr) return in.wrong("content", "is required");
  if (const auto* text = content->if_string()) {
    request.messages.push_back(
        {.role = std::string(role.value_or("")), .content = std::string(*text)});
    return;
  }
  const auto* blocks = in.array("content", kMaxParts);
  if (blocks == nullptr) return;
  if (role == "assistant") {
    request.messages.push_back(read_assistant(in, *blocks));
  } else {
    read_user(in, *blocks, request);
  }
}

void read_messages(JsonFields& body, int most, Request& request) {
  const auto* list = body.array("messages", static_cast<std::size_t>(most));
  if (list == nullptr || list->empty()) {
    return body.wrong("messages", "is required: at least one message");
  }
  if (std::string system = read_texts(body, "system"); !system.empty()) {
    request.messages.push_back({.role = "system", .content = std::move(system)});
  }
  for (std::size_t i = 0; i < list->size() && !body.failed(); ++i) {
    const auto* object = (*list)[i].if_object();
    if (object == nullptr) {
      return body.wrong(element("messages", i), "must be an object with `role` and `content`");
    }
    JsonFields message(*object, element("messages", i) + ".");
    read_message(message, request);
    body.adopt(message);
  }
  // The answer goes on with what the assistant has begun.
  if (!body.failed() && !request.messages.empty()) {
    const Message& last = request.messages.back();
    if (last.role != "assistant" || !last.tool_calls.empty()) return;
    request.begun = last.content;
    request.messages.pop_back();
  }
}

std::string read_tool(JsonFields& tool, json::array& tools) {
  if (const auto type = tool.text("type"); type && *type != "custom") {
    tool.wrong("type",
               "`" + std::string(*type) + "`: only tools of the caller's own can be used here",
               Errc::unsupported);
  }
  const std::string name(tool.text("name").value_or(""));
  if (!valid_name(name)) tool.wrong("name", "must be 1 to 64 letters, digits, _ or -");
  json::object function{{"name", name}};
  if (const auto description = tool.text("description")) function["description"] = *description;
  if (const auto* schema = tool.object("input_schema")) {
    function["parameters"] = json::object(*schema, json::storage_ptr{});
  } else {
    tool.wrong("input_schema", "is required: a JSON schema");
  }
  tools.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
  return name;
}

void read_tool_choice(JsonFields& body, const std::vector<std::string>& names, Request& request) {
  const auto* object = body.object("tool_choice");
  if (object == nullptr) return;
  JsonFields in(*object, "tool_choice.");
  const auto type = in.choice("type", {"auto", "any", "none", "tool"}).value_or("");
  if (type == "any") {
    if (names.empty()) in.wrong("type", "there are no tools");
    request.tool_choice = "required";
  } else if (type == "tool") {
    const std::string name(in.text("name").value_or(""));
    if (std::ranges::find(names, name) == names.end()) {
      in.wrong("name", "must be the name of one of the tools");
    }
    request.tool_choice = forced_tool(name);
  } else if (!type.empty()) {
    request.tool_choice = type;
  } else {
    in.wrong("type", "is required");
  }
  request.parallel_tool_calls = !in.flag("disable_parallel_tool_use").value_or(false);
  body.adopt(in);
}

void read_tools(JsonFields& body, Request& request) {
  std::vector<std::string> names;
  if (const auto* tools = body.array("tools", kMaxTools)) {
    for (std::size_t i = 0; i < tools->size() && !body.failed(); ++i) {
      const auto* object = (*tools)[i].if_object();
      if (object == nullptr) return body.wrong(element("tools", i), "must be an object");
      JsonFields tool(*object, element("tools", i) + ".");
      names.push_back(read_tool(tool, request.tools));
      body.adopt(tool);
    }
  }
  read_tool_choice(body, names, request);
}

CompletionCall read_prompt(JsonFields& body, RequestLimits limits, Request& request) {
  CompletionCall call;
  call.dialect = Dialect::messages;
  call.model = body.text("model").value_or("");
  read_messages(body, limits.max_messages, request);
  read_tools(body, request);
  return call;
}

}  // namespace

ApiResult<CompletionCall> parse_messages(const json::object& object, RequestLimits limits) {
  JsonFields body(object);
  Request request;
  CompletionCall call = read_prompt(body, limits, request);
  if (body.any("max_tokens") == nullptr) body.wrong("max_tokens", "is required");
  request.max_tokens = read_max_tokens(body, "max_tokens", limits.max_tokens);
  request.stop = read_stop(body, "stop_sequences", kMaxStops);
  request.sampling.temperature = body.real("temperature", 0, 1);
  request.sampling.top_p = read_top_p(body);
  if (const auto top_k = body.integer("top_k", 0, std::numeric_limits<int>::max())) {
    request.sampling.top_k = static_cast<int>(*top_k);
  }
  call.stream = body.flag("stream").value_or(false);
  call.timeout = read_timeout(body);
  call.priority = read_priority(body);
  call.requests.push_back(std::move(request));
  return body.result(std::move(call));
}

ApiResult<CompletionCall> parse_count_tokens(const json::object& object, RequestLimits limits) {
  JsonFields body(object);
  Request request;
  CompletionCall call = read_prompt(body, limits, request);
  call.requests.push_back(std::move(request));
  return body.result(std::move(call));
}

}  // namespace lichen::serving
