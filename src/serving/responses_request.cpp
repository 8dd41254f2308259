#include "serving/responses_request.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>
#include <utility>

#include "serving/json_fields.h"
#include "serving/request_fields.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxItems = 16'384;

/// A string, or an array of parts with text, joined.
std::string read_content(JsonFields& item, const std::string& key) {
  const auto* value = item.any(key);
  if (value == nullptr) {
    item.wrong(key, "is required");
    return {};
  }
  if (const auto* text = value->if_string()) return std::string(*text);
  const auto* parts = item.array(key, kMaxParts);
  std::string all;
  for (std::size_t i = 0; parts != nullptr && i < parts->size() && !item.failed(); ++i) {
    const auto* object = (*parts)[i].if_object();
    if (object == nullptr) {
      item.wrong(element(key, i), "must be an object with `type`");
      break;
    }
    JsonFields part(*object, item.path(element(key, i)) + ".");
    const std::string type(part.text("type").value_or(""));
    if (type == "input_text" || type == "output_text" || type == "text" || type == "summary_text" ||
        type == "reasoning_text") {
      all += required_text(part, "text");
    } else if (type == "refusal") {
      all += required_text(part, "refusal");
    } else if (type.empty()) {
      part.wrong("type", "is required");
    } else {
      part.wrong("type", "`" + type + "` parts cannot be answered here; text only",
                 Errc::unsupported);
    }
    item.adopt(part);
  }
  return all;
}

json::object function_call(JsonFields& item) {
  const std::string name = required_text(item, "name");
  if (!valid_name(name)) item.wrong("name", "must be 1 to 64 letters, digits, _ or -");
  return {{"id", required_text(item, "call_id")},
          {"type", "function"},
          {"function", {{"name", name}, {"arguments", required_text(item, "arguments")}}}};
}

/// The assistant's message that goes on with this item: what it thought, said and called is one.
Message& assistant(Request& request) {
  if (request.messages.empty() || request.messages.back().role != "assistant") {
    request.messages.push_back({.role = "assistant", .content = {}});
  }
  return request.messages.back();
}

std::string read_reasoning(JsonFields& item) {
  for (const char* key : {"content", "summary"}) {
    const auto* parts = item.array(key, kMaxParts);
    if (parts != nullptr && !parts->empty()) return read_content(item, key);
  }
  return {};
}

void read_item(JsonFields& item, Request& request) {
  const std::string type(item.text("type").value_or("message"));
  if (type == "message") {
    const auto role = item.choice("role", {"system", "developer", "user", "assistant"});
    if (!role) item.wrong("role", "is required");
    std::string content = read_content(item, "content");
    if (role == "assistant") {
      Message& message = assistant(request);
      message.content += content;
    } else {
      request.messages.push_back(
          {.role = role == "user" ? "user" : "system", .content = std::move(content)});
    }
  } else if (type == "function_call") {
    assistant(request).tool_calls.push_back(function_call(item));
  } else if (type == "function_call_output") {
    request.messages.push_back({.role = "tool",
                                .content = read_content(item, "output"),
                                .tool_call_id = required_text(item, "call_id")});
  } else if (type == "reasoning") {
    assistant(request).reasoning += read_reasoning(item);
  } else {
    item.wrong("type", "`" + type + "` items cannot be used here", Errc::unsupported);
  }
}

void read_input(JsonFields& body, int most, Request& request) {
  if (const auto instructions = body.text("instructions"); instructions && !instructions->empty()) {
    request.messages.push_back({.role = "system", .content = std::string(*instructions)});
  }
  const auto* input = body.any("input");
  if (input == nullptr) return body.wrong("input", "is required");
  if (const auto* text = input->if_string()) {
    request.messages.push_back({.role = "user", .content = std::string(*text)});
    return;
  }
  const auto* items = body.array("input", kMaxItems);
  if (items == nullptr) return;
  if (items->empty()) return body.wrong("input", "must not be empty");
  for (std::size_t i = 0; i < items->size() && !body.failed(); ++i) {
    const auto* object = (*items)[i].if_object();
    if (object == nullptr) return body.wrong(element("input", i), "must be an object");
    JsonFields item(*object, element("input", i) + ".");
    read_item(item, request);
    body.adopt(item);
  }
  if (request.messages.size() > static_cast<std::size_t>(most)) {
    body.wrong("input", "has more than " + std::to_string(most) + " messages, the limit",
               Errc::too_large);
  }
}

/// `text.format`; the schema's name stands beside it.
void read_format(JsonFields& body, Format& format) {
  const auto* text = body.object("text");
  const auto* found = text == nullptr ? nullptr : text->if_contains("format");
  if (found == nullptr || found->is_null()) return;
  JsonFields outer(*text, "text.");
  const auto* object = outer.object("format");
  if (object != nullptr) {
    JsonFields in(*object, "text.format.");
    const auto type = in.choice("type", {"text", "json_object", "json_schema"});
    if (!type) in.wrong("type", "is required");
    format.json_object = type == "json_object";
    if (type == "json_schema") {
      format.json_schema_name = required_text(in, "name");
      format.json_schema_strict = in.flag("strict");
      const auto* schema = in.any("schema");
      if (schema == nullptr || !schema->is_object()) {
        in.wrong("schema", "is required: a JSON schema");
      } else {
        format.json_schema.emplace(*schema, json::storage_ptr{});
      }
    }
    outer.adopt(in);
  }
  body.adopt(outer);
}

/// A tool in the form of chat completions.
std::string read_tool(JsonFields& tool, json::array& tools) {
  const std::string type(tool.text("type").value_or(""));
  if (type != "function") {
    tool.wrong("type", "`" + type + "`: only `function` tools can be used here", Errc::unsupported);
  }
  const std::string name(tool.text("name").value_or(""));
  if (!valid_name(name)) tool.wrong("name", "must be 1 to 64 letters, digits, _ or -");
  json::object function{{"name", name}};
  if (const auto description = tool.text("description")) function["description"] = *description;
  if (const auto* parameters = tool.object("parameters")) {
    function["parameters"] = json::object(*parameters, json::storage_ptr{});
  }
  if (const auto strict = tool.flag("strict")) function["strict"] = *strict;
  tools.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
  return name;
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
  request.parallel_tool_calls = body.flag("parallel_tool_calls").value_or(true);
  const auto* choice = body.any("tool_choice");
  if (choice == nullptr) return;
  if (choice->is_string()) {
    const auto word = body.choice("tool_choice", {"none", "auto", "required"}).value_or("");
    if (word == "required" && names.empty()) body.wrong("tool_choice", "there are no tools");
    request.tool_choice = word;
  } else if (const auto* object = body.object("tool_choice")) {
    JsonFields forced(*object, "tool_choice.");
    const std::string name(forced.text("name").value_or(""));
    if (forced.text("type").value_or("") != "function") {
      forced.wrong("type", "must be `function`", Errc::unsupported);
    }
    if (std::ranges::find(names, name) == names.end()) {
      forced.wrong("name", "must be the name of one of the tools");
    }
    body.adopt(forced);
    request.tool_choice = forced_tool(name);
  }
}

/// What the reply says again, as it came or as it stands for what did not come.
json::object repeated(const json::object& object) {
  json::object fields{{"instructions", nullptr},
                      {"max_output_tokens", nullptr},
                      {"metadata", json::object()},
                      {"parallel_tool_calls", true},
                      {"temperature", nullptr},
                      {"text", {{"format", {{"type", "text"}}}}},
                      {"tool_choice", "auto"},
                      {"tools", json::array()},
                      {"top_p", nullptr},
                      {"reasoning", nullptr},
                      {"user", nullptr}};
  for (auto& member : fields) {
    const auto* given = object.if_contains(member.key());
    if (given != nullptr && !given->is_null()) member.value() = *given;
  }
  return json::object(fields, json::storage_ptr{});
}

}  // namespace

ApiResult<CompletionCall> parse_response(const json::object& object, RequestLimits limits) {
  JsonFields body(object);
  CompletionCall call;
  call.dialect = Dialect::responses;
  call.model = body.text("model").value_or("");
  Request request;
  read_input(body, limits.max_messages, request);
  request.document = read_document(body);
  read_tools(body, request);
  read_format(body, request.format);
  request.max_tokens = read_max_tokens(body, "max_output_tokens", limits.max_tokens);
  request.sampling.temperature = body.real("temperature", 0, 2);
  request.sampling.top_p = read_top_p(body);
  if (const auto top = body.integer("top_logprobs", 0, 20)) {
    request.logprobs = true;
    request.top_logprobs = static_cast<int>(*top);
  }
  for (const char* key : {"previous_response_id", "conversation", "prompt"}) {
    if (body.any(key) != nullptr) {
      body.wrong(key, "nothing is stored between requests: send the whole input",
                 Errc::unsupported);
    }
  }
  if (body.flag("background").value_or(false)) {
    body.wrong("background", "cannot be done here", Errc::unsupported);
  }
  call.logprobs = request.logprobs;
  call.stream = body.flag("stream").value_or(false);
  call.timeout = read_timeout(body);
  call.priority = read_priority(body);
  call.repeated = repeated(object);
  call.requests.push_back(std::move(request));
  return body.result(std::move(call));
}

}  // namespace lichen::serving
