#include "model/remote/openai_logprobs.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace lichen::model {

namespace json = boost::json;

namespace {

const json::array* array_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_array() : nullptr;
}

std::optional<float> number(const json::value* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto result = value->to_number<double>(error);
  if (error) return std::nullopt;
  return static_cast<float>(result);
}

/// The token's own bytes where they are given: "token" cannot show parts of a character.
std::optional<std::string> token_text(const json::object& entry) {
  if (const auto* bytes = array_in(entry, "bytes")) {
    std::string text;
    for (const auto& value : *bytes) {
      const auto* byte = value.if_int64();
      if (byte == nullptr || *byte < 0 || *byte > 255) return std::nullopt;
      text.push_back(static_cast<char>(*byte));
    }
    return text;
  }
  const auto* token = entry.if_contains("token");
  if (token == nullptr || !token->is_string()) return std::nullopt;
  return std::string(token->get_string());
}

std::optional<TokenLogprob> read_entry(const json::value& value) {
  const auto* entry = value.if_object();
  if (entry == nullptr) return std::nullopt;
  auto text = token_text(*entry);
  const auto logprob = number(entry->if_contains("logprob"));
  if (!text || !logprob) return std::nullopt;
  return TokenLogprob{std::move(*text), *logprob};
}

std::vector<AnswerToken> read_chat_form(const json::array& content) {
  std::vector<AnswerToken> tokens;
  tokens.reserve(content.size());
  for (const auto& value : content) {
    auto entry = read_entry(value);
    if (!entry) continue;
    AnswerToken token{std::move(entry->text), entry->logprob};
    if (const auto* top = array_in(value.get_object(), "top_logprobs")) {
      for (const auto& other : *top) {
        if (auto alternative = read_entry(other)) token.top.push_back(std::move(*alternative));
      }
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::vector<AnswerToken> read_older_form(const json::array& texts, const json::array& logprobs,
                                         const json::array* tops) {
  std::vector<AnswerToken> tokens;
  for (std::size_t i = 0; i < std::min(texts.size(), logprobs.size()); ++i) {
    const auto logprob = number(&logprobs[i]);
    if (!texts[i].is_string() || !logprob) continue;
    AnswerToken token{std::string(texts[i].get_string()), *logprob};
    if (tops != nullptr && i < tops->size() && (*tops)[i].is_object()) {
      for (const auto& [text, value] : (*tops)[i].get_object()) {
        if (const auto other = number(&value)) token.top.push_back({std::string(text), *other});
      }
      std::ranges::sort(token.top, std::greater{}, &TokenLogprob::logprob);
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace

std::vector<AnswerToken> read_logprobs(const json::object& logprobs) {
  if (const auto* content = array_in(logprobs, "content")) return read_chat_form(*content);
  const auto* texts = array_in(logprobs, "tokens");
  const auto* values = array_in(logprobs, "token_logprobs");
  if (texts == nullptr || values == nullptr) return {};
  return read_older_form(*texts, *values, array_in(logprobs, "top_logprobs"));
}

}  // namespace lichen::model
