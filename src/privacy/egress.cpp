#include "privacy/egress.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "privacy/value_finder.h"

namespace lichen::privacy {
namespace {

std::optional<std::uint32_t> hex(std::string_view digits, std::size_t count) {
  if (digits.size() < count) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : digits.substr(0, count)) {
    const char folded = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      number = number << 4 | static_cast<std::uint32_t>(c - '0');
    } else if (folded >= 'a' && folded <= 'f') {
      number = number << 4 | static_cast<std::uint32_t>(folded - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return number;
}

void append_utf8(std::uint32_t code, WipedString& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// With each escape of JSON's strings replaced by what it stands for; what is none stays.
WipedString without_json_escapes(std::string_view text) {
  constexpr std::string_view kLetters = "bfnrt", kMeanings = "\b\f\n\r\t";
  WipedString out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == 'u') {
      if (auto code = hex(text.substr(i + 1), 4)) {
        i += 4;
        const bool high = *code >= 0xD800 && *code < 0xDC00;
        if (high && text.substr(i + 1, 2) == "\\u") {
          const auto low = hex(text.substr(i + 3), 4);
          if (low && *low >= 0xDC00 && *low < 0xE000) {
            code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
            i += 6;
          }
        }
        append_utf8(*code, out);
        continue;
      }
    }
    const std::size_t letter = kLetters.find(next);
    out += letter == std::string_view::npos ? next : kMeanings[letter];
  }
  return out;
}

/// Percent-encoding and the plus of forms undone.
WipedString without_url_encoding(std::string_view text) {
  WipedString out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? hex(text.substr(i + 1), 2) : std::nullopt;
    if (byte) i += 2;
    out += byte ? static_cast<char>(*byte) : text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

/// Keys, roles and types that requests to models have, whatever they are about: who reads one has
/// learned nothing. Shorter ones are not looked for.
constexpr std::string_view kProtocolWords[] = {
    "messages",
    "role",
    "content",
    "name",
    "prompt",
    "input",
    "model",
    "text",
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
    "tools",
    "tool_choice",
    "tool_calls",
    "tool_call_id",
    "parallel_tool_calls",
    "arguments",
    "type",
    "auto",
    "none",
    "required",
    "prefix",
    "reasoning_content",
    "continue_final_message",
    "add_generation_prompt",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "stream",
    "stream_options",
    "include_usage",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "encoding_format",
    "float",
    "response_format",
    "json_object",
    "json_schema",
    "schema",
    "strict",
    "object",
    "array",
    "string",
    "number",
    "integer",
    "boolean",
    "null",
    "properties",
    "items",
    "description",
    "title",
    "enum",
    "default",
    "const",
    "format",
    "additionalProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "anyOf",
    "allOf",
    "oneOf",
    "definitions",
    "pattern",
    "examples",
};

/// Whether what stands there is one of those, alone in quotes, also in those of JSON in JSON.
bool is_protocol(std::string_view text, const Span& span) {
  const std::size_t quote = text.find_first_not_of('\\', span.end);
  return span.begin > 0 && text[span.begin - 1] == '"' && quote != std::string_view::npos &&
         text[quote] == '"' &&
         std::ranges::find(kProtocolWords, span.in(text)) != std::end(kProtocolWords);
}

Result<void> check(const ValueFinder& finder, std::string_view body) {
  const auto found = finder.find(body);
  const auto told = std::ranges::find_if(
      found, [body](const auto& each) { return !is_protocol(body, each.span); });
  if (told == found.end()) return {};
  const Vault::Entry& entry = *told->entry;
  return fail(Errc::refused, "what was to be sent holds a private value (" +
                                 std::string(name_of(entry.kind)) + ") in clear text; " +
                                 entry.placeholder +
                                 " should stand in its place, so nothing has left this device");
}

}  // namespace

Result<void> check_egress(const Vault& vault, std::string_view body) {
  constexpr int kDepth = 3;  // of JSON texts in JSON strings
  const ValueFinder finder(vault);
  WipedString unescaped;
  std::string_view text = body;
  for (int depth = 0; depth <= kDepth; ++depth) {
    if (auto plain = check(finder, text); !plain) return plain;
    if (text.find_first_of("%+") != std::string_view::npos) {
      if (auto decoded = check(finder, without_url_encoding(text)); !decoded) return decoded;
    }
    if (text.find('\\') == std::string_view::npos) break;
    unescaped = without_json_escapes(text);
    text = unescaped;
  }
  return {};
}

}  // namespace lichen::privacy
