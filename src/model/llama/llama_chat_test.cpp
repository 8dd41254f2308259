// Chat templates and tools on real weights, with templates of our own in copies of the small model.
#include "model/llama/llama_chat.h"

#include <boost/json/parse.hpp>

#include "model/llama/llama_test.h"

namespace lichen::model {
namespace {

namespace json = boost::json;

constexpr const char* kTemplateKey = "tokenizer.chat_template";

/// As Hermes and Qwen have it.
constexpr const char* kToolTemplate = R"(
{%- if tools %}
  {{- '<|im_start|>system\n# Tools\n<tools>' }}
  {%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}
  {{- '\n</tools>\nAnswer with <tool_call>\n{"name": NAME, "arguments": OBJECT}\n</tool_call>' }}
  {{- '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'assistant' and message.tool_calls %}
    {{- '<|im_start|>assistant' }}
    {%- if message.content %}{{- '\n' + message.content }}{%- endif %}
    {%- for tool_call in message.tool_calls %}
      {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
      {{- '\n<tool_call>\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
      {{- tool_call.arguments | tojson }}{{- '}\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\n' }}
  {%- elif message.role == 'tool' %}
    {{- '<|im_start|>user\n<tool_response>\n' + message.content }}
    {{- '\n</tool_response><|im_end|>\n' }}
  {%- else %}
    {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
)";

const json::array kTools = json::parse(R"([
    {"type": "function", "function": {"name": "call_contact", "description": "Calls a contact.",
     "parameters": {"type": "object", "properties": {"who": {"enum": ["Ada", "Bob"]}},
                    "required": ["who"]}}},
    {"type": "function", "function": {"name": "set_light", "parameters": {"type": "object",
     "properties": {"on": {"type": "boolean"}}, "required": ["on"]}}}])")
                               .as_array();

class LlamaChatTest : public LlamaTest {
 protected:
  static std::filesystem::path with_template() {
    return edited_copy("tools.gguf", [](gguf_context* file) {
      gguf_set_val_str(file, kTemplateKey, kToolTemplate);
    });
  }

  static Request with_tools(json::value choice = {}) {
    Request request = question("Call Ada Stone.");
    request.tools = kTools;
    request.tool_choice = std::move(choice);
    request.max_tokens = 100;
    return request;
  }

  /// That copy's chat format alone.
  static std::shared_ptr<const ChatFormat> tool_format() {
    llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    llama_model* weights = llama_model_load_from_file(with_template().c_str(), params);
    EXPECT_NE(weights, nullptr);
    auto chat = open_llama_chat(weights);
    EXPECT_TRUE(chat.has_value());
    llama_model_free(weights);
    return *chat;
  }
};

TEST_F(LlamaChatTest, ATemplateWithoutToolsRefusesThem) {
  for (const char* choice : {"auto", "required"}) {
    const Result<Answer> answer = ask(with_tools(choice));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Errc::unsupported);
    EXPECT_NE(answer.error().detail.find("template knows no tools"), std::string::npos)
        << answer.error().detail;
  }
  // Nor can it show the calls of an earlier turn.
  Request request = question("And now?");
  request.messages.push_back({.role = "assistant",
                              .content = "",
                              .tool_calls = json::parse(R"([
      {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}])")
                                                .as_array()});
  EXPECT_EQ(ask(request).error().code, Errc::unsupported);
}

TEST_F(LlamaChatTest, ToolsReachThePrompt) {
  const auto model = open(with_template());
  const Result<Answer> plain = ask(*model, question("Call Ada Stone."));
  const Result<Answer> free = ask(*model, with_tools());
  const Result<Answer> required = ask(*model, with_tools("required"));
  ASSERT_TRUE(plain && free && required);
  EXPECT_GT(free->prompt_tokens, plain->prompt_tokens + 50);
  EXPECT_GT(required->prompt_tokens, plain->prompt_tokens + 50);
  // The format's grammar begins with the end of the prompt, which must not be written again.
  EXPECT_FALSE(required->text.starts_with("<|im_start|>")) << required->text;
}

TEST_F(LlamaChatTest, ArgumentsThatAreNestedTooDeepAreRefused) {
  const auto format = tool_format();
  const auto rendered = [&](const std::string& arguments) {
    Request request = with_tools();
    request.messages.push_back(
        {.role = "assistant",
         .content = "",
         .tool_calls = {
             {{"id", "c1"}, {"function", {{"name", "call_contact"}, {"arguments", arguments}}}}}});
    return format->render(request);
  };
  const std::string deep(200'000, '[');
  for (const std::string& arguments : {deep + std::string(deep.size(), ']'),
                                       R"({"a":"]\"]]","b":)" + deep, "\xEF\xBB\xBF" + deep}) {
    const auto refused = rendered(arguments);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::bad_request);
    EXPECT_NE(refused.error().detail.find("more levels"), std::string::npos);
  }
  EXPECT_TRUE(rendered(R"({"name":"[[[[", "list":[[1],[2]]})"));
}

TEST_F(LlamaChatTest, ACallThatIsNestedTooDeepIsText) {
  const auto format = tool_format();
  const Result<RenderedChat> chat = format->render(with_tools("required"));
  ASSERT_TRUE(chat);
  const std::string reply =
      R"(<tool_call>{"name": "call_contact", "arguments": {"name": )" + std::string(200'000, '[');
  const Result<ParsedReply> read = format->parse(*chat, reply);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->tool_calls.empty());
  EXPECT_EQ(read->content, reply);
}

TEST_F(LlamaChatTest, AChosenToolIsTheOnlyOne) {
  const auto format = tool_format();
  auto choose = [&](const char* name) {
    return format->render(with_tools({{"type", "function"}, {"function", {{"name", name}}}}));
  };
  const Result<RenderedChat> both = format->render(with_tools("required"));
  EXPECT_TRUE(both->prompt.contains("call_contact") && both->prompt.contains("set_light"));
  EXPECT_TRUE(both->grammar.contains("call_contact") && both->grammar.contains("set_light"));
  const Result<RenderedChat> one = choose("set_light");
  ASSERT_TRUE(one.has_value()) << one.error().detail;
  EXPECT_FALSE(one->prompt.contains("call_contact"));
  EXPECT_FALSE(one->grammar.contains("call_contact"));
  EXPECT_TRUE(one->grammar.contains("set_light"));
  const Result<RenderedChat> unknown = choose("fly");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Errc::bad_request);
  EXPECT_EQ(unknown.error().detail,
            "tool_choice names the tool `fly`; there are `call_contact`, `set_light`");
}

TEST_F(LlamaChatTest, CallsAreReadOutOfTheReply) {
  const auto format = tool_format();
  const Result<RenderedChat> chat = format->render(with_tools());
  ASSERT_TRUE(chat.has_value()) << chat.error().detail;
  EXPECT_EQ(chat->call_starts, std::vector<std::string>{"<tool_call>"});
  EXPECT_TRUE(chat->grammar.empty()) << "the model may also just talk";
  const Result<ParsedReply> reply =
      format->parse(*chat,
                    "Calling.\n<tool_call>\n{\"name\": \"call_contact\", \"arguments\": {\"who\": "
                    "\"Ada\"}}\n</tool_call>");
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->content.substr(0, 8), "Calling.");
  ASSERT_EQ(reply->tool_calls.size(), 1u);
  EXPECT_EQ(reply->tool_calls[0].at("function").at("name"), "call_contact");
  const Result<ParsedReply> prose = format->parse(*chat, "Nobody is there.");
  EXPECT_TRUE(prose->tool_calls.empty());
  EXPECT_EQ(prose->content, "Nobody is there.");
}

TEST_F(LlamaChatTest, HostileSchemasAreRefused) {
  const auto format = tool_format();
  json::object defs;
  for (int i = 0; i < 5'000; ++i) {
    defs["a" + std::to_string(i)] = {{"$ref", "#/$defs/a" + std::to_string(i + 1)}};
  }
  const json::value schema{{"$ref", "#/$defs/a0"}, {"$defs", std::move(defs)}};
  EXPECT_EQ(format->grammar({.json_schema = schema}).error().code, Errc::bad_request);
  Request request = with_tools();
  request.tools[0].at("function").as_object()["parameters"] = schema;
  const Result<RenderedChat> chat = format->render(request);
  ASSERT_FALSE(chat.has_value());
  EXPECT_EQ(chat.error().code, Errc::bad_request);
  EXPECT_TRUE(chat.error().detail.starts_with("tool `call_contact`: ")) << chat.error().detail;
}

TEST_F(LlamaChatTest, AModelWithoutATemplateContinuesPromptsOnly) {
  const auto model = open(edited_copy(
      "no_template.gguf", [](gguf_context* file) { gguf_remove_key(file, kTemplateKey); }));
  const Result<Answer> chat = ask(*model, question("What is 12 + 30?"));
  ASSERT_FALSE(chat.has_value());
  EXPECT_EQ(chat.error().code, Errc::unsupported);
  EXPECT_NE(chat.error().detail.find("no chat template"), std::string::npos);
  Request request;
  request.prompt = "<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n";
  const Result<Answer> answer = ask(*model, request);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->text, "12 + 30 = 42");
  request.format.gbnf = "root ::= \"yes\"";
  EXPECT_EQ(ask(*model, request)->text, "yes");
}

}  // namespace
}  // namespace lichen::model
