#include "mechanisms/policy/request_digest.h"

#include <bit>
#include <boost/json/serialize.hpp>
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lichen::mechanisms {
namespace {

/// The bytes that are digested: fields in their order, each of a size that the bytes before it
/// tell. A structure is taken apart by a binding of all its fields, so that a new one does not
/// compile until it stands here.
class Canonical {
 public:
  /// Of this text only its place is written.
  explicit Canonical(const std::string* left_out) : left_out_(left_out) {}

  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
  }
  void add(const std::string& text) {
    if (&text != left_out_) add(std::string_view(text));
  }
  template <std::integral Number>
  void add(Number number) {
    auto bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(number));
    for (int i = 0; i < 8; ++i, bits >>= 8) bytes_ += static_cast<char>(bits & 0xff);
  }
  void add(float number) { add(std::bit_cast<std::int32_t>(number)); }
  void add(const boost::json::value& value) {
    add(std::string_view(boost::json::serialize(value)));
  }
  void add(const boost::json::array& array) {
    add(std::string_view(boost::json::serialize(array)));
  }
  template <class T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  template <class T>
  void add(const std::vector<T>& items) {
    add(static_cast<std::int64_t>(items.size()));
    for (const T& item : items) add(item);
  }
  void add(const std::map<std::int32_t, float>& numbers) {
    add(static_cast<std::int64_t>(numbers.size()));
    for (const auto& [key, value] : numbers) add_all(key, value);
  }
  void add(const Message& message) {
    const auto& [role, content, name, tool_call_id, tool_calls, reasoning] = message;
    add_all(role, content, name, tool_call_id, tool_calls, reasoning);
  }
  void add(const Sampling& sampling) {
    const auto& [temperature, top_k, top_p, min_p, repetition, presence, frequency, seed, bias] =
        sampling;
    add_all(temperature, top_k, top_p, min_p, repetition, presence, frequency, seed, bias);
  }
  void add(const Format& format) {
    const auto& [gbnf, schema, schema_name, schema_strict, json_object] = format;
    add_all(gbnf, schema, schema_name, schema_strict, json_object);
  }
  void add(const Request& request) {
    const auto& [messages, prompt, document, begun, sampling, format, max_tokens, stop, logprobs,
                 top_logprobs, tools, tool_choice, parallel_tool_calls] = request;
    add_all(messages, prompt, document, begun, sampling, format, max_tokens, stop, logprobs,
            top_logprobs, tools, tool_choice, parallel_tool_calls);
  }

  base::Sha256 digest() const { return base::sha256(bytes_); }

 private:
  template <class... Fields>
  void add_all(const Fields&... fields) {
    (add(fields), ...);
  }

  const std::string* const left_out_;
  std::string bytes_;
};

base::Sha256 digest(const Request& request, std::string_view partition,
                    const std::string* left_out) {
  Canonical canonical(left_out);
  canonical.add(partition);
  canonical.add(left_out != nullptr);
  canonical.add(request);
  return canonical.digest();
}

}  // namespace

base::Sha256 digest_of(const Request& request, std::string_view partition) {
  return digest(request, partition, nullptr);
}

std::optional<base::Sha256> digest_around_question(const Request& request,
                                                   std::string_view partition) {
  if (request.messages.empty() || request.prompt || !request.begun.empty() || request.logprobs ||
      !request.tools.empty()) {
    return std::nullopt;
  }
  const Message& last = request.messages.back();
  if (last.role != "user" || last.content.empty()) return std::nullopt;
  return digest(request, partition, &last.content);
}

}  // namespace lichen::mechanisms
