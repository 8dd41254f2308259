#include "mechanisms/privacy/request_texts.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cassert>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

/// Keys of a JSON schema, or of a tool's description, whose texts have a meaning to who reads the
/// schema and are not masked. All others are: descriptions, and what a program of its own adds.
constexpr std::string_view kStructuralKeys[] = {
    "type",    "name",    "required",    "pattern",        "format",           "contentEncoding",
    "$ref",    "$schema", "$dynamicRef", "$dynamicAnchor", "contentMediaType", "$id",
    "$anchor",
};
/// Has lists of names, by names.
constexpr std::string_view kNameLists = "dependentRequired";
/// Those under which values stand.
constexpr std::array<std::string_view, 5> kValueKeys = {"default", "const", "enum", "examples",
                                                        "example"};

/// Those under which names stand, each with a schema of its own.
constexpr std::array<std::string_view, 5> kNamesKeys = {"properties", "patternProperties",
                                                        "dependentSchemas", "$defs", "definitions"};

bool is_one_of(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

/// Of a string, and of a whole number: one may be a phone's, in whatever form it is written.
std::optional<std::string> data_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64() || value.is_uint64()) return json::serialize(value);
  constexpr double kMost = 1e21;  // beyond, it is no number of anybody's
  if (!value.is_double() || std::abs(value.get_double()) > kMost ||
      value.get_double() != std::floor(value.get_double())) {
    return std::nullopt;
  }
  return fmt::format("{:.0f}", value.get_double());
}

std::string without_brackets(std::string name) {
  std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
  return name;
}

}  // namespace

RequestTexts::RequestTexts(Request& request) {
  for (Message& message : request.messages) {
    add(message.content);
    if (!message.reasoning.empty()) add(message.reasoning);
    if (!message.name.empty()) {
      add({.text = message.name},
          [&name = message.name](std::string other) { name = without_brackets(std::move(other)); });
    }
    for (json::value& call : message.tool_calls) add_arguments(call);
  }
  if (request.prompt) add(*request.prompt);
  if (request.document) add(*request.document);
  if (!request.begun.empty()) add(request.begun);
  for (std::string& stop : request.stop) add(stop);
  for (json::value& tool : request.tools) add_described(tool);
  if (request.format.json_schema) add_described(*request.format.json_schema);
}

void RequestTexts::replace(std::vector<std::string> others) {
  assert(others.size() == texts_.size());
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others[i] != texts_[i].text) puts_[i](std::move(others[i]));
  }
  for (const Arguments& each : arguments_) *each.written = json::serialize(each.read);
}

void RequestTexts::add(std::string& text) {
  add({.text = text}, [&text](std::string other) { text = std::move(other); });
}

void RequestTexts::add(PrivateText text, Put put) {
  texts_.push_back(std::move(text));
  puts_.push_back(std::move(put));
}

void RequestTexts::add_field(std::string_view name) {
  add({.text = std::string(name), .is_field = true}, [](const std::string&) {});
}

/// Of a call of a tool, {"function": {"arguments": "JSON"}}. What is no JSON is a text.
void RequestTexts::add_arguments(json::value& call) {
  json::object* object = call.if_object();
  json::value* function = object == nullptr ? nullptr : object->if_contains("function");
  object = function == nullptr ? nullptr : function->if_object();
  json::value* arguments = object == nullptr ? nullptr : object->if_contains("arguments");
  if (arguments == nullptr) return;
  json::string* written = arguments->if_string();
  boost::system::error_code wrong;
  json::value read = written == nullptr ? json::value() : json::parse(*written, wrong);
  if (written == nullptr || wrong) {
    add_data(*arguments, "");
    return;
  }
  add_data(arguments_.emplace_back(written, std::move(read)).read, "");
}

void RequestTexts::add_data(json::value& value, const std::string& before) {
  if (json::object* object = value.if_object()) {
    for (auto& [key, inner] : *object) {
      add_field(key);
      add_data(inner, std::string(key) + ": ");
    }
  } else if (json::array* array = value.if_array()) {
    for (json::value& inner : *array) add_data(inner, before);
  } else if (std::optional<std::string> text = data_text(value)) {
    add({.text = *std::move(text), .before = before},
        [&value](std::string other) { value = json::string(other); });
  }
}

void RequestTexts::add_described(json::value& value) {
  if (value.is_string()) add_data(value, "");
  if (json::array* array = value.if_array()) {
    for (json::value& inner : *array) add_described(inner);
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, inner] : *object) {
    const std::string_view name(key.data(), key.size());
    if (name == kNameLists || (is_one_of(kStructuralKeys, name) && !inner.is_object())) continue;
    if (is_one_of(kNamesKeys, name) && inner.is_object()) {
      for (auto& [field, schema] : inner.get_object()) {
        add_field(field);
        add_described(schema);
      }
    } else if (is_one_of(kValueKeys, name)) {
      add_data(inner, "");
    } else {
      add_described(inner);
    }
  }
}

}  // namespace lichen::mechanisms
