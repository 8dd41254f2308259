#include "model/llama/llama_chat.h"

#include <chat.h>
#include <json-schema-to-grammar.h>
#include <log.h>

#include <algorithm>
#include <boost/algorithm/string/trim.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>

#include "base/ids.h"
#include "model/schema_bounds.h"
#include "model/schema_pattern.h"

namespace lichen::model {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

std::string field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? std::string() : text_of(*value);
}

/// How deep brackets stand in one another, outside of strings or anywhere.
std::size_t nesting(std::string_view json, bool has_strings) {
  std::size_t depth = 0, most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"' && has_strings) {
      in_string = true;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return most;
}

/// Of a tool's call. libllama reads them as JSON and follows that with recursion.
Result<void> check_arguments(const common_chat_tool_call& call) {
  if (nesting(call.arguments, true) <= SchemaBounds::kNesting) return {};
  return fail(Errc::bad_request,
              "the arguments of the call of `" + call.name + "` have more levels than the " +
                  std::to_string(SchemaBounds::kNesting) + " that can be followed");
}

Result<common_chat_msg> to_common(const Message& message) {
  common_chat_msg out;
  out.role = message.role;
  out.content = message.content;
  out.reasoning_content = message.reasoning;
  out.tool_name = message.name;
  out.tool_call_id = message.tool_call_id;
  for (const json::value& call : message.tool_calls) {
    if (!call.is_object()) continue;
    const json::value* function = call.get_object().if_contains("function");
    if (function == nullptr || !function->is_object()) continue;
    out.tool_calls.push_back({.name = field(function->get_object(), "name"),
                              .arguments = field(function->get_object(), "arguments"),
                              .id = field(call.get_object(), "id")});
    if (auto checked = check_arguments(out.tool_calls.back()); !checked) {
      return std::unexpected(std::move(checked.error()));
    }
  }
  return out;
}

Result<std::vector<common_chat_tool>> to_common(const json::array& tools) {
  std::vector<common_chat_tool> out;
  for (const json::value& tool : tools) {
    if (!tool.is_object()) continue;
    const json::value* function = tool.get_object().if_contains("function");
    if (function == nullptr || !function->is_object()) continue;
    const json::object& object = function->get_object();
    const json::value* parameters = object.if_contains("parameters");
    common_chat_tool& added =
        out.emplace_back(common_chat_tool{.name = field(object, "name"),
                                          .description = field(object, "description"),
                                          .parameters = "{}"});
    if (parameters == nullptr || parameters->is_null()) continue;
    if (Result<void> checked = check_schema(*parameters); !checked) {
      return fail(checked.error().code, "tool `" + added.name + "`: " + checked.error().detail);
    }
    added.parameters = text_of(*parameters);
  }
  return out;
}

/// Sets tools and choice. A choice of one tool is that tool alone, and required.
Result<void> choose_tools(const Request& request, common_chat_templates_inputs& inputs) {
  Result<std::vector<common_chat_tool>> tools = to_common(request.tools);
  if (!tools) return std::unexpected(std::move(tools.error()));
  inputs.tools = *std::move(tools);
  inputs.parallel_tool_calls = request.parallel_tool_calls;
  const json::value& choice = request.tool_choice;
  if (choice == "none") inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_NONE;
  if (choice == "required") inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
  if (!choice.is_object()) return {};
  const json::value* function = choice.get_object().if_contains("function");
  const std::string name =
      function != nullptr && function->is_object() ? field(function->get_object(), "name") : "";
  const auto chosen = std::ranges::find(inputs.tools, name, &common_chat_tool::name);
  if (chosen == inputs.tools.end()) {
    std::string names;
    for (const common_chat_tool& tool : inputs.tools) {
      names += (names.empty() ? "`" : ", `") + tool.name + "`";
    }
    return fail(Errc::bad_request, "tool_choice names the tool `" + name + "`; there are " +
                                       (names.empty() ? "none" : names));
  }
  inputs.tools = {*chosen};
  inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
  return {};
}

/// What a call begins with, where the format says so in plain words.
std::vector<std::string> call_starts(const common_chat_params& params) {
  std::vector<std::string> starts;
  for (const common_grammar_trigger& trigger : params.grammar_triggers) {
    if (trigger.type != COMMON_GRAMMAR_TRIGGER_TYPE_WORD) return {};
    starts.push_back(boost::algorithm::trim_copy(trigger.value));
    if (starts.back().empty()) return {};
  }
  return starts;
}

class LlamaChat : public ChatFormat {
 public:
  LlamaChat(common_chat_templates_ptr templates, bool add_bos, bool add_eos)
      : templates_(std::move(templates)), add_bos_(add_bos), add_eos_(add_eos) {}

  Result<RenderedChat> render(const Request& request) const override {
    if (templates_ == nullptr) {
      return fail(Errc::unsupported,
                  "the model has no chat template; ask for a completion of a raw prompt instead");
    }
    try {
      common_chat_templates_inputs inputs;
      for (const Message& message : request.messages) {
        Result<common_chat_msg> one = to_common(message);
        if (!one) return std::unexpected(std::move(one.error()));
        inputs.messages.push_back(*std::move(one));
      }
      if (Result<void> chosen = choose_tools(request, inputs); !chosen) {
        return std::unexpected(std::move(chosen.error()));
      }
      inputs.add_bos = add_bos_;
      inputs.add_eos = add_eos_;
      inputs.force_pure_content = request.tools.empty();
      common_chat_params params = common_chat_templates_apply(templates_.get(), inputs);
      if (drops_tools(inputs, params.prompt)) {
        return fail(Errc::unsupported,
                    "the model's chat template knows no tools, so the model would not see them; "
                    "send the request without tools, or to another model");
      }
      RenderedChat chat;
      chat.prompt = std::move(params.prompt);
      chat.stops = std::move(params.additional_stops);
      if (!request.tools.empty()) {
        chat.parser = std::move(params.parser);
        chat.format = static_cast<int>(params.format);
        chat.generation_prompt = std::move(params.generation_prompt);
        chat.call_starts = call_starts(params);
        if (!params.grammar_lazy && !params.grammar.empty()) {
          chat.grammar = std::move(params.grammar);
          chat.begun = chat.generation_prompt;
        }
      }
      return chat;
    } catch (const std::exception& problem) {
      return fail(
          Errc::unsupported,
          std::string("the model's chat template fails on these messages: ") + problem.what());
    }
  }

  Result<ParsedReply> parse(const RenderedChat& chat, const std::string& reply) const override {
    // Parsers recurse. Brackets count wherever they stand: what is no call has strings of its own.
    if (nesting(reply, false) > SchemaBounds::kNesting) return ParsedReply{.content = reply};
    try {
      common_chat_parser_params params;
      params.format = static_cast<common_chat_format>(chat.format);
      params.generation_prompt = chat.generation_prompt;
      if (!chat.parser.empty()) params.parser.load(chat.parser);
      const common_chat_msg message = common_chat_parse(reply, false, params);
      ParsedReply parsed{.content = message.content};
      for (const common_chat_tool_call& call : message.tool_calls) {
        parsed.tool_calls.push_back(json::object{
            {"id", call.id.empty() ? base::new_id("call_") : call.id},
            {"type", "function"},
            {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}});
      }
      return parsed;
    } catch (const std::exception&) {
      return ParsedReply{.content = reply};  // not a tool call after all
    }
  }

  Result<std::string> grammar(const Format& format) const override {
    if (!format.gbnf.empty()) return format.gbnf;
    if (format.json_schema) {
      for (const auto check : {check_schema, check_patterns}) {
        if (Result<void> checked = check(*format.json_schema); !checked) {
          return std::unexpected(std::move(checked.error()));
        }
      }
    }
    try {
      const std::string schema =
          format.json_schema ? json::serialize(*format.json_schema) : R"({"type": "object"})";
      return json_schema_to_grammar(common_json::parse(schema));
    } catch (const std::exception& problem) {
      return fail(
          Errc::bad_request,
          std::string("the JSON schema cannot be turned into a grammar: ") + problem.what());
    }
  }

 private:
  /// Whether the template leaves no trace of the tools, or of calls in the messages.
  bool drops_tools(common_chat_templates_inputs inputs, const std::string& prompt) const {
    const bool called = std::ranges::any_of(inputs.messages, [](const common_chat_msg& message) {
      return !message.tool_calls.empty();
    });
    if (inputs.tools.empty() && !called) return false;
    inputs.tools.clear();
    inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_NONE;
    inputs.force_pure_content = true;
    for (common_chat_msg& message : inputs.messages) message.tool_calls.clear();
    return common_chat_templates_apply(templates_.get(), inputs).prompt == prompt;
  }

  const common_chat_templates_ptr templates_;
  const bool add_bos_;
  const bool add_eos_;
};

}  // namespace

Result<std::shared_ptr<const ChatFormat>> open_llama_chat(const llama_model* model) {
  common_log_set_verbosity_thold(-1);  // its remarks on templates are not for our users
  const llama_vocab* vocab = llama_model_get_vocab(model);
  common_chat_templates_ptr templates;
  if (llama_model_chat_template(model, nullptr) != nullptr) {
    try {
      templates = common_chat_templates_init(model, "");
    } catch (const std::exception& problem) {
      return fail(Errc::bad_model,
                  std::string("the model's chat template does not parse: ") + problem.what());
    }
  }
  return std::make_shared<LlamaChat>(std::move(templates), llama_vocab_get_add_bos(vocab),
                                     llama_vocab_get_add_eos(vocab));
}

}  // namespace lichen::model
