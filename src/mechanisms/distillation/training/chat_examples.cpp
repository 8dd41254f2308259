#include "mechanisms/distillation/training/chat_examples.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "mechanisms/prompts.h"

namespace lichen::training {

namespace {

namespace json = boost::json;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{4} << 30;

/// What a line says.
struct Chat {
  std::vector<Message> messages = {};
  std::string rationale = {};
  double weight = 1;
};

/// Empty where the key is not there.
Result<std::string> text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return std::string();
  if (value->is_string()) return std::string(value->get_string());
  return fail(Errc::bad_request, "\"" + std::string(key) + "\" must be a string");
}

Result<std::vector<Message>> messages_of(const json::value& value) {
  if (!value.is_array()) return fail(Errc::bad_request, "\"messages\" must be an array");
  std::vector<Message> messages;
  for (const json::value& item : value.get_array()) {
    if (!item.is_object()) return fail(Errc::bad_request, "a message must be a JSON object");
    auto role = text_of(item.get_object(), "role"), content = text_of(item.get_object(), "content");
    if (!role) return std::unexpected(role.error());
    if (!content) return std::unexpected(content.error());
    if (role->empty()) return fail(Errc::bad_request, "a message has no \"role\"");
    messages.push_back({.role = *std::move(role), .content = *std::move(content)});
  }
  return messages;
}

Result<Chat> parse_chat(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error) return fail(Errc::bad_request, "not JSON: " + error.message());
  if (!value.is_object()) return fail(Errc::bad_request, "a chat must be a JSON object");
  const json::object& object = value.get_object();
  Chat chat;
  if (const json::value* messages = object.if_contains("messages")) {
    auto parsed = messages_of(*messages);
    if (!parsed) return std::unexpected(parsed.error());
    chat.messages = *std::move(parsed);
  } else {
    auto prompt = text_of(object, "prompt"), answer = text_of(object, "answer");
    auto reference = text_of(object, "reference");
    for (const auto* text : {&prompt, &answer, &reference}) {
      if (!*text) return std::unexpected(text->error());
    }
    if (!object.contains("prompt")) {
      return fail(Errc::bad_request, "neither \"messages\" nor \"prompt\" is given");
    }
    chat.messages = {{"user", *std::move(prompt)},
                     {"assistant", answer->empty() ? *std::move(reference) : *std::move(answer)}};
  }
  auto rationale = text_of(object, "rationale");
  if (!rationale) return std::unexpected(rationale.error());
  chat.rationale = *std::move(rationale);
  if (const json::value* weight = object.if_contains("weight")) {
    if (!weight->is_number() || !(weight->to_number<double>() > 0)) {
      return fail(Errc::bad_request, "\"weight\" must be a number above 0");
    }
    chat.weight = weight->to_number<double>();
  }
  return chat;
}

/// Turns chats into tokens.
class Reader {
 public:
  Reader(const model::Tokenizer& tokenizer, const ChatOptions& options)
      : tokenizer_(tokenizer), options_(options) {}

  Result<void> read(const Chat& chat) {
    std::vector<Message> before;
    std::optional<std::size_t> last;
    for (const Message& message : chat.messages) {
      if (message.role == "assistant") {
        if (before.empty()) {
          return fail(Errc::bad_request, "an assistant's message has nothing before it");
        }
        if (message.content.empty()) {
          return fail(Errc::bad_request, "the answer is empty");
        }
        auto example = chat_example(tokenizer_, before, message.content, chat.weight);
        if (auto done = keep(std::move(example)); !done) return done;
        last = before.size();
      }
      before.push_back(message);
    }
    if (!last) return fail(Errc::bad_request, "no message is of an \"assistant\"");
    if (chat.rationale.empty() || options_.rationale_weight <= 0) return {};
    before.resize(*last);
    return keep(rationale_example(tokenizer_, std::move(before), chat.rationale,
                                  chat.weight * options_.rationale_weight));
  }

  ChatExamples take() { return std::move(read_); }

 private:
  Result<void> keep(Result<Example> example) {
    if (!example) return std::unexpected(example.error());
    if (example->length() > options_.longest) {
      ++read_.left_out;
    } else {
      read_.examples.push_back(*std::move(example));
    }
    return {};
  }

  const model::Tokenizer& tokenizer_;
  const ChatOptions& options_;
  ChatExamples read_;
};

}  // namespace

Result<Example> chat_example(const model::Tokenizer& tokenizer, const std::vector<Message>& prompt,
                             const std::string& answer, double weight) {
  const auto rendered = tokenizer.chat->render({.messages = prompt});
  if (!rendered) return std::unexpected(rendered.error());
  auto before = tokenizer.vocabulary->tokenize(rendered->prompt, true);
  if (!before) return std::unexpected(before.error());
  auto tokens = tokenizer.vocabulary->tokenize(answer, false);
  if (!tokens) return std::unexpected(tokens.error());
  if (before->empty()) return fail(Errc::bad_request, "the prompt is empty");
  tokens->push_back(tokenizer.end_of_turn);
  return Example{.prompt = *std::move(before),
                 .answer = *std::move(tokens),
                 .weight = static_cast<float>(weight)};
}

Result<Example> rationale_example(const model::Tokenizer& tokenizer, std::vector<Message> prompt,
                                  const std::string& rationale, double weight) {
  if (prompt.empty()) return fail(Errc::bad_request, "the prompt is empty");
  auto asked = mechanisms::render("rationale", {{"question", prompt.back().content}});
  if (!asked) return std::unexpected(asked.error());
  prompt.back().content = *std::move(asked);
  return chat_example(tokenizer, prompt, rationale, weight);
}

Result<ChatExamples> parse_chats(std::string_view jsonl, const std::filesystem::path& origin,
                                 const model::Tokenizer& tokenizer, const ChatOptions& options) {
  Reader reader(tokenizer, options);
  for (int number = 1; !jsonl.empty(); ++number) {
    const auto end = jsonl.find('\n');
    const auto line = jsonl.substr(0, end);
    jsonl.remove_prefix(end == std::string_view::npos ? jsonl.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto chat = parse_chat(line);
    const auto read = chat ? reader.read(*chat) : std::unexpected(chat.error());
    if (!read) {
      return fail(read.error().code,
                  origin.string() + ":" + std::to_string(number) + ": " + read.error().detail);
    }
  }
  ChatExamples all = reader.take();
  if (all.examples.empty()) {
    return fail(
        Errc::bad_request,
        origin.string() + ": holds no example" +
            (all.left_out > 0 ? " of at most " + std::to_string(options.longest) + " tokens" : ""));
  }
  return all;
}

Result<ChatExamples> load_chats(const std::filesystem::path& file,
                                const model::Tokenizer& tokenizer, const ChatOptions& options) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) return fail(Errc::not_found, file.string() + ": " + error.message());
  if (bytes > kMostBytes) return fail(Errc::too_large, file.string() + ": it has over 4 GiB");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return fail(Errc::not_found, file.string() + ": cannot be read");
  return parse_chats(text.view(), file, tokenizer, options);
}

}  // namespace lichen::training
