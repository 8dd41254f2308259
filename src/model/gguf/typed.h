// Typed access to the values of a GGUF header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/checked.h"
#include "model/gguf/format.h"

namespace lichen::model::gguf {

/// Values by key with the type that libllama insists on. The first mismatch is kept as `error`.
class Typed {
 public:
  explicit Typed(const Header& header) : header_(header) {}

  std::optional<std::uint32_t> u32(std::string_view key) {
    return scalar<std::uint32_t>(key, Kind::u32);
  }
  std::optional<float> f32(std::string_view key) { return scalar<float>(key, Kind::f32); }
  std::optional<bool> flag(std::string_view key) {
    const auto byte = scalar<std::uint8_t>(key, Kind::boolean);
    return byte ? std::optional(*byte != 0) : std::nullopt;
  }
  std::string_view text(std::string_view key) {
    const Value* value = header_.find(key);
    if (value == nullptr) return {};
    if (!value->is(Kind::string)) return mismatch(key, *value, Kind::string), std::string_view();
    if (value->bytes.find('\0') != value->bytes.npos) {
      fail(bad("key ", quoted(key), " has a NUL in its text: the file is damaged"));
    }
    return value->bytes;
  }
  /// One number for all `layers` or one for each; empty when the key is not there.
  std::vector<std::uint32_t> per_layer(std::string_view key, std::uint32_t layers) {
    const Value* value = header_.find(key);
    if (value == nullptr) return {};
    if (!value->array) return std::vector<std::uint32_t>(layers, u32(key).value_or(0));
    if (value->count != layers) {
      fail(bad("key ", quoted(key), " has ", value->count, " values for ", layers, " layers"));
    } else if (value->kind == Kind::u32 || value->kind == Kind::i32) {
      std::vector<std::uint32_t> numbers(layers);
      for (std::uint32_t i = 0; i < layers; ++i) numbers[i] = value->at<std::uint32_t>(i);
      return numbers;
    } else {
      mismatch(key, *value, Kind::u32);
    }
    return {};
  }

  template <class... Parts>
  void require(bool holds, const Parts&... otherwise) {
    if (!holds) fail(bad(otherwise...));
  }
  /// The first thing that was wrong.
  Checked<void> done() const {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  template <class T>
  std::optional<T> scalar(std::string_view key, Kind kind) {
    const Value* value = header_.find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is(kind)) return mismatch(key, *value, kind), std::nullopt;
    return value->at<T>();
  }
  void mismatch(std::string_view key, const Value& value, Kind wanted) {
    fail(bad("key ", quoted(key), " is of type ", value.type_name(), "; it must be ",
             facts(wanted).name));
  }
  void fail(const std::unexpected<std::string>& why) {
    if (!error_) error_ = why.error();
  }

  const Header& header_;
  std::optional<std::string> error_;
};

}  // namespace lichen::model::gguf
