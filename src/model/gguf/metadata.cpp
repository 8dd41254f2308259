#include "model/gguf/metadata.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <functional>
#include <iterator>
#include <utility>

namespace lichen::model::gguf {

namespace {

constexpr std::string_view kAlignmentKey = "general.alignment";

std::string typed(Kind kind) {
  std::string out;
  append(out, static_cast<std::uint32_t>(kind));
  return out;
}

std::string bytes_of(const Value& value) {
  std::string out;
  if (value.array) {
    out = typed(Kind::array);
    append(out, static_cast<std::uint32_t>(value.kind));
    append(out, value.count);
    return out.append(value.bytes);
  }
  out = typed(value.kind);
  if (value.kind == Kind::string) {
    append_text(out, value.bytes);
  } else {
    out.append(value.bytes);
  }
  return out;
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<std::uint64_t>(text.size()));
  out.append(text);
}

Metadata Metadata::copy_of(const Header& header) {
  std::vector<std::string_view> keys;
  keys.reserve(header.values.size());
  for (const auto& [key, value] : header.values) keys.push_back(key);
  // They point into the file, so their order there is that of their addresses.
  std::ranges::sort(keys, std::less<>(), [](std::string_view key) { return key.data(); });
  Metadata metadata;
  for (const std::string_view key : keys) {
    metadata.entries_.push_back({std::string(key), bytes_of(*header.find(key))});
  }
  return metadata;
}

void Metadata::set(std::string_view key, std::string value) {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  if (found != entries_.end()) {
    found->value = std::move(value);
  } else {
    entries_.push_back({std::string(key), std::move(value)});
  }
}

void Metadata::set_text(std::string_view key, std::string_view text) {
  std::string value = typed(Kind::string);
  append_text(value, text);
  set(key, std::move(value));
}

void Metadata::set_u32(std::string_view key, std::uint32_t number) {
  std::string value = typed(Kind::u32);
  append(value, number);
  set(key, std::move(value));
}

void Metadata::set_f32(std::string_view key, float number) {
  std::string value = typed(Kind::f32);
  append(value, number);
  set(key, std::move(value));
}

void Metadata::set_texts(std::string_view key, const std::vector<std::string>& texts) {
  std::string value = typed(Kind::array);
  append(value, static_cast<std::uint32_t>(Kind::string));
  append(value, static_cast<std::uint64_t>(texts.size()));
  for (const std::string& text : texts) append_text(value, text);
  set(key, std::move(value));
}

void Metadata::erase(std::string_view key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
}

void Metadata::erase_under(std::string_view prefix) {
  std::erase_if(entries_, [prefix](const Entry& entry) { return entry.key.starts_with(prefix); });
}

std::optional<std::uint32_t> file_type_of(const TensorType& type) {
  std::string name;
  for (const char c : type.name) name += static_cast<char>(std::toupper(c));
  for (const std::string& wanted : {name, name + "_S"}) {
    const auto* found = std::ranges::find(kFileTypes, wanted);
    if (found != std::end(kFileTypes)) {
      return static_cast<std::uint32_t>(found - std::begin(kFileTypes));
    }
  }
  return std::nullopt;
}

std::uint64_t Metadata::alignment() const {
  const auto found = std::ranges::find(entries_, kAlignmentKey, &Entry::key);
  if (found == entries_.end()) return kDefaultAlignment;
  std::uint32_t alignment = 0;
  std::memcpy(&alignment, found->value.data() + sizeof(std::uint32_t), sizeof(alignment));
  return alignment;
}

std::string Metadata::bytes() const {
  std::string out;
  for (const Entry& entry : entries_) {
    append_text(out, entry.key);
    out.append(entry.value);
  }
  return out;
}

}  // namespace lichen::model::gguf
