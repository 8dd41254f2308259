#include "mechanisms/routing/token_head.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <optional>

#include "mechanisms/routing/logistic.h"
#include "mechanisms/routing/sealed_json.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr SealedFormat kFormat{
    .key = "lichen_token_head", .what = "head", .command = "lichen route train --plan"};

json::array array_of(const std::vector<double>& values) {
  return json::array(values.begin(), values.end());
}

std::optional<std::vector<double>> numbers(const json::object& object, std::string_view key) {
  const auto* array = object.if_contains(key);
  if (array == nullptr || !array->is_array()) return std::nullopt;
  std::vector<double> values;
  for (const json::value& value : array->get_array()) {
    if (!value.is_number()) return std::nullopt;
    values.push_back(value.to_number<double>());
    if (!std::isfinite(values.back())) return std::nullopt;
  }
  return values;
}

std::optional<TokenHead> head_from(const json::object& object) {
  const auto* small = object.if_contains("small");
  const auto* large = object.if_contains("large");
  const auto* data_hash = object.if_contains("data_hash");
  const auto* tokens = object.if_contains("tokens");
  const auto* bias = object.if_contains("bias");
  auto mean = numbers(object, "mean"), scale = numbers(object, "scale");
  auto weights = numbers(object, "weights");
  if (small == nullptr || !small->is_object() || large == nullptr || !large->is_object() ||
      data_hash == nullptr || !data_hash->is_string() || tokens == nullptr || !tokens->is_int64() ||
      bias == nullptr || !bias->is_number() || !mean || !scale || !weights ||
      mean->size() != weights->size() || scale->size() != weights->size() ||
      weights->size() <= kTokenScalars) {
    return std::nullopt;
  }
  TokenHead head{.small = small->get_object(),
                 .large = large->get_object(),
                 .data_hash = std::string(data_hash->get_string()),
                 .tokens = tokens->get_int64(),
                 .mean = *std::move(mean),
                 .scale = *std::move(scale),
                 .weights = *std::move(weights),
                 .bias = bias->to_number<double>()};
  if (!std::isfinite(head.bias)) return std::nullopt;
  return head;
}

}  // namespace

double margin(const Row& row) {
  if (row.top.empty()) return std::nan("");
  return std::exp(row.top[0].logprob) - (row.top.size() > 1 ? std::exp(row.top[1].logprob) : 0.0);
}

std::vector<float> token_features(const Row& row) {
  constexpr double kOffset = 1e-4;  // what is surer than that is sure
  std::vector<float> features{static_cast<float>(std::log(kOffset + row.entropy)),
                              static_cast<float>(std::log(kOffset + 1 - margin(row)))};
  features.insert(features.end(), row.hidden.begin(), row.hidden.end());
  return features;
}

double TokenHead::probability(std::span<const float> features) const {
  if (features.size() != width()) return std::nan("");
  double z = bias;
  for (std::size_t i = 0; i < width(); ++i) z += weights[i] * (features[i] - mean[i]) * scale[i];
  return logistic(z);
}

Result<TokenHead> load_token_head(const std::filesystem::path& file) {
  const auto object = load_sealed(file, kFormat);
  if (!object) return std::unexpected(object.error());
  const auto* schema = object->if_contains("schema");
  if (schema != nullptr && schema->is_string() && *schema != json::value(kTokenSchema)) {
    return bad_sealed(file, kFormat,
                      fmt::format("reads features of the schema `{}`, and this program makes those "
                                  "of `{}`",
                                  std::string_view(schema->get_string()), kTokenSchema));
  }
  auto head = head_from(*object);
  if (schema == nullptr || !head) {
    return bad_sealed(file, kFormat, "does not hold what a head holds");
  }
  return *std::move(head);
}

Result<void> save_token_head(const TokenHead& head, const std::filesystem::path& file) {
  return save_sealed({{"schema", kTokenSchema},
                      {"small", head.small},
                      {"large", head.large},
                      {"data_hash", head.data_hash},
                      {"tokens", head.tokens},
                      {"mean", array_of(head.mean)},
                      {"scale", array_of(head.scale)},
                      {"weights", array_of(head.weights)},
                      {"bias", head.bias}},
                     file, kFormat);
}

}  // namespace lichen::mechanisms
