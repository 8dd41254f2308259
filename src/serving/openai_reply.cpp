#include "serving/openai_reply.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "base/document.h"
#include "base/utf8.h"

namespace lichen::serving {
namespace {

namespace json = boost::json;

/// JSON has no infinity; this is what OpenAI gives for an impossible token.
double finite(float logprob) {
  return std::isfinite(logprob) ? std::max(static_cast<double>(logprob), -9'999.0) : -9'999.0;
}

std::string json_string(std::string_view text) { return json::serialize(json::string_view(text)); }

json::array bytes_of(std::string_view text) {
  json::array bytes;
  for (const unsigned char byte : text) bytes.emplace_back(byte);
  return bytes;
}

template <class T>
json::object token_json(const T& token) {
  return {{"token", base::replace_invalid_utf8(token.text)},
          {"logprob", finite(token.logprob)},
          {"bytes", bytes_of(token.text)}};
}

json::value chat_logprobs(std::span<const AnswerToken> tokens) {
  return {{"content", logprobs_json(tokens)}, {"refusal", nullptr}};
}

std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
}

/// `offset` advances over the tokens.
json::value text_logprobs(std::span<const AnswerToken> tokens, std::int64_t& offset) {
  json::array texts;
  json::array values;
  json::array tops;
  json::array offsets;
  for (const auto& token : tokens) {
    texts.emplace_back(base::replace_invalid_utf8(token.text));
    values.emplace_back(finite(token.logprob));
    json::object top;
    for (const auto& alternative : token.top) {
      top.emplace(base::replace_invalid_utf8(alternative.text), finite(alternative.logprob));
    }
    tops.push_back(std::move(top));
    offsets.emplace_back(offset);
    offset += characters(token.text);
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

json::object usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details",
           {{"accepted_prediction_tokens", usage.accepted},
            {"rejected_prediction_tokens", usage.drafted - usage.accepted}}}};
}

json::object chat_choice(const Answer& answer) {
  json::object message = {{"role", "assistant"}, {"content", answer.text}, {"refusal", nullptr}};
  if (!answer.tool_calls.empty()) {
    if (answer.text.empty()) message["content"] = nullptr;
    message["tool_calls"] = answer.tool_calls;
  }
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  return {{"message", std::move(message)}};
}

/// What OpenAI's replies have no place for.
json::object extras(const Answer& answer) {
  return {{"citations", base::to_json(answer.citations)}};
}

/// Tool calls of a delta carry their index.
json::array indexed(const json::array& calls) {
  json::array result;
  for (const auto& call : calls) {
    json::object entry = {{"index", result.size()}};
    if (const auto* object = call.if_object()) {
      for (const auto& [key, value] : *object) entry[key] = value;
    }
    result.push_back(std::move(entry));
  }
  return result;
}

std::string base64_floats(const std::vector<float>& values) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;  // little-endian, as the clients expect it
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((bits >> shift) & 0xff));
    }
  }
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t size = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8) | (i < size ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text.push_back(i <= size ? kDigits[(group >> (18 - 6 * i)) & 63] : '=');
    }
  }
  return text;
}

void append_floats(std::string& out, const std::vector<float>& values) {
  out += '[';
  for (const float value : values) {
    std::array<char, 32> text;
    const float number = std::isfinite(value) ? value : 0;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
    out += ',';
  }
  values.empty() ? out.push_back(']') : void(out.back() = ']');
}

}  // namespace

std::string embeddings_json(std::string_view model, const Embeddings& embeddings, bool base64,
                            std::int64_t prompt_tokens) {
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
    if (base64) {
      out += '"' + base64_floats(embeddings[i]) + '"';
    } else {
      append_floats(out, embeddings[i]);
    }
    out += '}';
  }
  const std::string tokens = std::to_string(prompt_tokens);
  out += R"(],"model":)" + json_string(model) + R"(,"usage":{"prompt_tokens":)" + tokens +
         R"(,"total_tokens":)" + tokens + "}}";
  return out;
}

json::array logprobs_json(std::span<const AnswerToken> tokens) {
  json::array content;
  for (const auto& token : tokens) {
    json::object entry = token_json(token);
    json::array top;
    for (const auto& alternative : token.top) top.push_back(token_json(alternative));
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  return content;
}

OpenAiReply::OpenAiReply(ReplyHead head, OpenAiReplyOptions options)
    : head_(std::move(head)), options_(std::move(options)), sent_(options_.choices) {
  const bool chat = options_.chat;
  prefix_ = std::string(chat ? R"(data: {"id":"chatcmpl-)" : R"(data: {"id":"cmpl-)") + head_.id +
            (chat ? R"(","object":"chat.completion.chunk","created":)"
                  : R"(","object":"text_completion","created":)") +
            std::to_string(head_.created) + R"(,"model":)" + json_string(head_.model) +
            R"(,"choices":[)";
}

std::string OpenAiReply::whole(std::span<const Answer> choices) {
  const bool chat = options_.chat;
  json::array list;
  Usage usage;
  for (const Answer& answer : choices) {
    json::object choice =
        chat ? chat_choice(answer) : json::object{{"text", options_.echo + answer.text}};
    choice["index"] = list.size();
    std::int64_t offset = 0;
    choice["logprobs"] = !options_.logprobs ? json::value(nullptr)
                         : chat             ? chat_logprobs(answer.tokens)
                                            : text_logprobs(answer.tokens, offset);
    choice["finish_reason"] = to_string(answer.finish);
    if (!answer.citations.empty()) choice["lichen"] = extras(answer);
    usage.add(answer, list.size(), options_.per_prompt);
    list.push_back(std::move(choice));
  }
  return json::serialize(json::object{{"id", (chat ? "chatcmpl-" : "cmpl-") + head_.id},
                                      {"object", chat ? "chat.completion" : "text_completion"},
                                      {"created", head_.created},
                                      {"model", head_.model},
                                      {"choices", std::move(list)},
                                      {"usage", usage_json(usage)}});
}

void OpenAiReply::start(std::string& out) {
  if (!options_.chat) return;
  for (std::size_t choice = 0; choice < sent_.size(); ++choice) {
    chunk(out, choice, R"({"role":"assistant","content":""})", {}, {});
  }
}

void OpenAiReply::piece(std::string& out, std::size_t choice, const Piece& piece) {
  if (!piece.reasoning.empty() && options_.chat) {
    sent_[choice].reasoning += piece.reasoning.size();
    chunk(out, choice, R"({"reasoning_content":)" + json_string(piece.reasoning) + "}", {}, {});
  }
  if (piece.text.empty() && piece.logprobs.empty()) return;
  text(out, choice, piece.text, piece.logprobs, {});
}

void OpenAiReply::end(std::string& out, std::size_t choice, const Answer& answer) {
  usage_.add(answer, choice, options_.per_prompt);
  const Sent& sent = sent_[choice];
  if (sent.bytes == 0 && answer.reasoning.size() > sent.reasoning) {
    Piece thought;
    thought.reasoning = answer.reasoning.substr(sent.reasoning);
    piece(out, choice, thought);
  }
  const auto rest = std::string_view(answer.text).substr(std::min(sent.bytes, answer.text.size()));
  auto tokens = std::span(answer.tokens);
  tokens =
      options_.logprobs ? tokens.subspan(std::min(sent.logprobs, tokens.size())) : tokens.first(0);
  if (!rest.empty() || !tokens.empty()) text(out, choice, rest, tokens, {});
  if (!answer.tool_calls.empty() && options_.chat) {
    const json::object delta = {{"tool_calls", indexed(answer.tool_calls)}};
    chunk(out, choice, json::serialize(delta), {}, {});
  }
  if (options_.chat) {
    const std::string more =
        answer.citations.empty() ? "" : R"(,"lichen":)" + json::serialize(extras(answer));
    chunk(out, choice, "{}", {}, to_string(answer.finish), more);
  } else {
    text(out, choice, {}, {}, to_string(answer.finish));
  }
}

void OpenAiReply::text(std::string& out, std::size_t choice, std::string_view text,
                       std::span<const AnswerToken> logprobs, std::string_view finish) {
  sent_[choice].bytes += text.size();
  sent_[choice].logprobs += logprobs.size();
  const std::string value = json_string(text);
  chunk(out, choice, options_.chat ? R"({"content":)" + value + "}" : value, logprobs, finish);
}

void OpenAiReply::chunk(std::string& out, std::size_t choice, std::string_view delta,
                        std::span<const AnswerToken> logprobs, std::string_view finish,
                        std::string_view more) {
  out += prefix_;
  out += R"({"index":)";
  out += std::to_string(choice);
  out += options_.chat ? R"(,"delta":)" : R"(,"text":)";
  out += delta;
  out += R"(,"logprobs":)";
  if (!options_.logprobs || logprobs.empty()) {
    out += "null";
  } else {
    out += json::serialize(options_.chat ? chat_logprobs(logprobs)
                                         : text_logprobs(logprobs, sent_[choice].offset));
  }
  out += R"(,"finish_reason":)";
  if (finish.empty()) {
    out += "null";
  } else {
    out.append("\"").append(finish).append("\"");
  }
  out += more;
  out += options_.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n";
}

void OpenAiReply::done(std::string& out) {
  if (options_.include_usage) {
    out.append(prefix_).append(R"(],"usage":)").append(json::serialize(usage_json(usage_)));
    out += "}\n\n";
  }
  out += "data: [DONE]\n\n";
}

void OpenAiReply::error(std::string& out, const ApiError& error) {
  add_event(out, "error", error_json(error));
}

}  // namespace lichen::serving
