// Reads typed fields from a JSON object that somebody else wrote.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "serving/api_error.h"

namespace lichen::serving {

/// Absent and null fields read as nothing. The first field with a wrong type or value is
/// remembered as the error, and everything read after it is nothing; so read all, then ask once.
class JsonFields {
 public:
  /// `path` is what stands before a field's name in messages ("messages[2]."). The object must
  /// outlive this.
  explicit JsonFields(const boost::json::object& object, std::string path = {})
      : object_(object), path_(std::move(path)) {}

  const boost::json::value* any(std::string_view key) const;
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<float> real(std::string_view key, double min, double max);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::string_view> text(std::string_view key);
  std::optional<std::string_view> choice(std::string_view key,
                                         std::initializer_list<std::string_view> allowed);
  const boost::json::object* object(std::string_view key);
  const boost::json::array* array(std::string_view key, std::size_t max_size);

  /// Records an error at `key` unless there is one already. `what`: "must be ...".
  void wrong(std::string_view key, std::string_view what, Errc code = Errc::bad_request);
  /// Makes the error of a part of this object, if it has one, this object's.
  void adopt(const JsonFields& part);
  bool failed() const { return error_.has_value(); }
  /// `value`, or the error.
  template <class T>
  ApiResult<T> result(T value) const {
    if (error_) return std::unexpected(*error_);
    return value;
  }
  std::string path(std::string_view key) const { return path_ + std::string(key); }

 private:
  const boost::json::object& object_;
  const std::string path_;
  std::optional<ApiError> error_;
};

}  // namespace lichen::serving
