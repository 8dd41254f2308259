#include "model/remote/openai_embeddings.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <string>

namespace lichen::model {

namespace json = boost::json;

namespace {

/// Scaled to unit length; empty when it is no vector.
std::vector<float> read_vector(const json::value* value) {
  const auto* numbers = value ? value->if_array() : nullptr;
  if (numbers == nullptr) return {};
  std::vector<float> vector;
  vector.reserve(numbers->size());
  double squares = 0;
  for (const auto& number : *numbers) {
    boost::system::error_code error;
    const auto x = number.is_number() ? number.to_number<double>(error) : NAN;
    if (error || !(std::abs(x) < 1e30)) return {};  // not NaN, and room for a float
    vector.push_back(static_cast<float>(x));
    squares += x * x;
  }
  if (!(squares > 0)) return {};
  const auto scale = 1 / std::sqrt(squares);
  for (auto& x : vector) x = static_cast<float>(x * scale);
  return vector;
}

}  // namespace

std::expected<EmbeddingReply, Failure> read_embeddings(std::string_view text, std::size_t count,
                                                       const ErrorContext& context) {
  const auto bad = [&](const std::string& what) {
    return std::unexpected(
        Failure{{Errc::upstream, "`" + context.model + "`: the endpoint's embeddings " + what},
                false,
                Fault::failed,
                "its embeddings could not be read"});
  };
  boost::system::error_code error;
  const auto parsed = json::parse({text.data(), text.size()}, error);
  const auto* reply = error ? nullptr : parsed.if_object();
  const auto* data = reply ? reply->if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) {
    return bad("have no list `data`: " + quote(text, context.key, kShortQuote));
  }
  const auto& entries = data->get_array();
  if (entries.size() != count) {
    return bad("are " + std::to_string(entries.size()) + " for " + std::to_string(count) +
               " texts");
  }
  EmbeddingReply result;
  result.vectors.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* entry = entries[i].if_object();
    if (entry == nullptr) return bad("hold something that is not an object");
    const auto* index = entry->if_contains("index");
    const auto* number = index ? index->if_int64() : nullptr;
    const auto at = number ? static_cast<std::size_t>(*number) : i;
    if (at >= count || !result.vectors[at].empty()) {
      return bad("have an index that is out of range or there twice");
    }
    result.vectors[at] = read_vector(entry->if_contains("embedding"));
    if (result.vectors[at].empty()) return bad("hold something that is no vector of numbers");
  }
  for (const auto& vector : result.vectors) {
    if (vector.size() != result.vectors.front().size()) return bad("differ in width");
  }
  if (const auto* usage = reply->if_contains("usage"); usage && usage->is_object()) {
    const auto* tokens = usage->get_object().if_contains("prompt_tokens");
    const auto* number = tokens ? tokens->if_int64() : nullptr;
    if (number != nullptr && *number >= 0 && *number <= kMostTokens) {
      result.prompt_tokens = *number;
    }
  }
  return result;
}

}  // namespace lichen::model
