#include "serving/json_fields.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <sstream>

namespace lichen::serving {
namespace {

namespace json = boost::json;

std::string show(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

const json::value* JsonFields::any(std::string_view key) const {
  if (error_) return nullptr;
  const auto* value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<double> JsonFields::number(std::string_view key, double min, double max) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const double number = value->to_number<double>();
    if (std::isfinite(number) && number >= min && number <= max) return number;
  }
  wrong(key, "must be a number from " + show(min) + " to " + show(max));
  return std::nullopt;
}

std::optional<float> JsonFields::real(std::string_view key, double min, double max) {
  const auto value = number(key, min, max);
  return value ? std::optional(static_cast<float>(*value)) : std::nullopt;
}

std::optional<std::int64_t> JsonFields::integer(std::string_view key, std::int64_t min,
                                                std::int64_t max) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    // Takes 5.0 for 5, as JSON does; refuses fractions and what does not fit.
    boost::system::error_code inexact;
    const auto number = value->to_number<std::int64_t>(inexact);
    if (!inexact && number >= min && number <= max) return number;
  }
  wrong(key, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<bool> JsonFields::flag(std::string_view key) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  wrong(key, "must be true or false");
  return std::nullopt;
}

std::optional<std::string_view> JsonFields::text(std::string_view key) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string_view(value->get_string());
  wrong(key, "must be a string");
  return std::nullopt;
}

std::optional<std::string_view> JsonFields::choice(
    std::string_view key, std::initializer_list<std::string_view> allowed) {
  const auto value = text(key);
  if (!value || std::ranges::find(allowed, *value) != allowed.end()) return value;
  std::string list;
  for (const auto name : allowed) list += (list.empty() ? "`" : ", `") + std::string(name) + "`";
  wrong(key, "must be one of " + list);
  return std::nullopt;
}

const json::object* JsonFields::object(std::string_view key) {
  const auto* value = any(key);
  if (value == nullptr) return nullptr;
  if (const auto* object = value->if_object()) return object;
  wrong(key, "must be an object");
  return nullptr;
}

const json::array* JsonFields::array(std::string_view key, std::size_t max_size) {
  const auto* value = any(key);
  if (value == nullptr) return nullptr;
  const auto* array = value->if_array();
  if (array == nullptr) {
    wrong(key, "must be an array");
  } else if (array->size() > max_size) {
    wrong(key, "must have at most " + std::to_string(max_size) + " elements");
    return nullptr;
  }
  return array;
}

void JsonFields::wrong(std::string_view key, std::string_view what, Errc code) {
  if (error_) return;
  std::string where = path(key);
  std::string detail = where + ": " + std::string(what);
  error_ =
      ApiError{.error = {.code = code, .detail = std::move(detail)}, .param = std::move(where)};
}

void JsonFields::adopt(const JsonFields& part) {
  if (!error_) error_ = part.error_;
}

}  // namespace lichen::serving
