#include "mechanisms/distillation/safetensors.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kLength = sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 64;
constexpr std::uint64_t kMostHeader = 100u << 20;  // as other readers
constexpr std::pair<std::string_view, std::uint64_t> kTypes[] = {
    {"U8", 1}, {"U32", 4}, {"U64", 8}, {"F16", 2}};

std::optional<std::uint64_t> size_of(std::string_view type) {
  const auto found = std::ranges::find(kTypes, type, [](const auto& pair) { return pair.first; });
  if (found == std::end(kTypes)) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> whole(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) {
    return static_cast<std::uint64_t>(value.get_int64());
  }
  return std::nullopt;
}

std::optional<std::vector<std::uint64_t>> whole_numbers(const json::object& object,
                                                        std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  for (const json::value& item : value->get_array()) {
    const auto number = whole(item);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

/// The product; none where it does not fit.
std::optional<std::uint64_t> product(std::uint64_t factor, const std::vector<std::uint64_t>& more) {
  for (const std::uint64_t next : more) {
    if (next != 0 && factor > std::numeric_limits<std::uint64_t>::max() / next) return std::nullopt;
    factor *= next;
  }
  return factor;
}

Result<ArrayInfo> array_from(std::string_view name, const json::value& value,
                             std::uint64_t data_begin, std::uint64_t file_size) {
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::bad_request, fmt::format("its array `{}` {}", name, what));
  };
  const json::object* object = value.if_object();
  const json::value* type = object == nullptr ? nullptr : object->if_contains("dtype");
  if (type == nullptr || !type->is_string()) return wrong("has no type");
  ArrayInfo array{.name = std::string(name), .type = std::string(type->get_string()), .shape = {}};
  const auto shape = whole_numbers(*object, "shape");
  const auto place = whole_numbers(*object, "data_offsets");
  if (!shape || !place || place->size() != 2) return wrong("has no shape or no place");
  const auto element = size_of(array.type);
  if (!element) return wrong(fmt::format("is of the unknown type {}", array.type));
  array.shape = *shape;
  const auto bytes = product(*element, array.shape);
  const std::uint64_t begin = (*place)[0], end = (*place)[1];
  if (!bytes || begin > end || end - begin != *bytes) return wrong("has another size than shape");
  if (end > file_size - data_begin) {
    return wrong("ends behind the file's end: it is truncated");
  }
  array.begin = data_begin + begin;
  return array;
}

}  // namespace

std::uint64_t ArrayInfo::elements() const {
  std::uint64_t count = 1;
  for (const std::uint64_t length : shape) count *= length;
  return count;
}

std::uint64_t ArrayInfo::bytes() const { return elements() * size_of(type).value_or(0); }

const ArrayInfo* SafetensorsHeader::find(std::string_view name) const {
  const auto found = std::ranges::find(arrays, name, &ArrayInfo::name);
  return found == arrays.end() ? nullptr : &*found;
}

std::string write_header(SafetensorsHeader& header) {
  json::object object;
  json::object metadata;
  for (const auto& [key, value] : header.metadata) metadata[key] = value;
  object["__metadata__"] = std::move(metadata);
  std::uint64_t offset = 0;
  for (ArrayInfo& array : header.arrays) {
    array.begin = offset;
    json::array shape(array.shape.begin(), array.shape.end());
    object[array.name] = json::object{{"dtype", array.type},
                                      {"shape", std::move(shape)},
                                      {"data_offsets", {offset, offset + array.bytes()}}};
    offset += array.bytes();
  }
  std::string text = json::serialize(object);
  text.append((kAlignment - (kLength + text.size()) % kAlignment) % kAlignment, ' ');
  for (ArrayInfo& array : header.arrays) array.begin += kLength + text.size();
  const std::uint64_t size = text.size();
  std::array<char, kLength> length;
  std::memcpy(length.data(), &size, kLength);
  return std::string(length.data(), kLength) + text;
}

Result<std::uint64_t> header_size(std::string_view start, std::uint64_t file_size) {
  std::uint64_t size = 0;
  if (start.size() < kLength || file_size < kLength) {
    return fail(Errc::bad_request, "it is shorter than any safetensors file");
  }
  std::memcpy(&size, start.data(), kLength);
  if (size > kMostHeader || size > file_size - kLength) {
    return fail(Errc::bad_request, "it is no safetensors file, or truncated");
  }
  return size;
}

Result<SafetensorsHeader> read_header(std::string_view text, std::uint64_t file_size) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return fail(Errc::bad_request, "its header is no JSON object: no safetensors file");
  }
  SafetensorsHeader header;
  const std::uint64_t data_begin = kLength + text.size();
  for (const auto& [name, item] : value.get_object()) {
    if (name == "__metadata__") {
      if (!item.is_object()) return fail(Errc::bad_request, "its metadata are no object");
      for (const auto& [key, text_value] : item.get_object()) {
        if (text_value.is_string()) header.metadata[key] = std::string(text_value.get_string());
      }
      continue;
    }
    Result<ArrayInfo> array = array_from(name, item, data_begin, file_size);
    if (!array) return std::unexpected(array.error());
    header.arrays.push_back(*std::move(array));
  }
  std::ranges::sort(header.arrays, {}, &ArrayInfo::begin);
  return header;
}

}  // namespace lichen::mechanisms
