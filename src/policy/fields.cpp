#include "policy/fields.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "policy/nearest.h"

namespace lichen::policy {
namespace {

constexpr double kMaxSeconds = 24 * 3'600;
constexpr std::size_t kShown = 60;  // bytes of a wrong value that an error quotes

std::string shown(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
  }
  if (node.text.size() > kShown) return fmt::format("{} bytes of text", node.text.size());
  return node.quoted ? "\"" + node.text + "\"" : "`" + node.text + "`";
}

std::unexpected<Error> wrong(const std::filesystem::path& file, const YamlNode& node,
                             std::string_view wanted) {
  const std::string subject = node.key.empty() ? "this" : "`" + node.key + "`";
  return std::unexpected(
      yaml_error(file, node.line, node.column,
                 fmt::format("{} must be {}, not {}", subject, wanted, shown(node))));
}

/// A plain scalar as a whole number or a decimal fraction. Quoted ones are text.
template <class T>
std::optional<T> parse(const YamlNode& node) {
  if (!node.is(YamlNode::Kind::scalar) || node.quoted) return std::nullopt;
  std::string_view text = node.text;
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::string> read_text(const std::filesystem::path& file, const YamlNode& node) {
  if (!node.is(YamlNode::Kind::scalar) || node.text.empty()) return wrong(file, node, "a text");
  return node.text;
}

Result<bool> read_flag(const std::filesystem::path& file, const YamlNode& node) {
  const bool plain = node.is(YamlNode::Kind::scalar) && !node.quoted;
  if (plain && node.text == "true") return true;
  if (plain && node.text == "false") return false;
  return wrong(file, node, "true or false");
}

Result<std::int64_t> read_integer(const std::filesystem::path& file, const YamlNode& node,
                                  std::int64_t min, std::int64_t max) {
  const std::optional<std::int64_t> value = parse<std::int64_t>(node);
  if (value && *value >= min && *value <= max) return *value;
  return wrong(file, node, fmt::format("a whole number from {} to {}", min, max));
}

Result<double> read_number(const std::filesystem::path& file, const YamlNode& node, double min,
                           double max) {
  const std::optional<double> value = parse<double>(node);
  if (value && *value >= min && *value <= max) return *value;
  return wrong(file, node, fmt::format("a number from {} to {}", min, max));
}

Result<std::chrono::milliseconds> read_duration(const std::filesystem::path& file,
                                                const YamlNode& node) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3'600}, {"", 1}};
  if (node.is(YamlNode::Kind::scalar)) {
    const std::size_t digits = node.text.find_first_not_of("0123456789.");
    YamlNode number = node;
    number.quoted = false;  // "5s" in quotes is as good
    number.text = node.text.substr(0, digits);
    const std::string_view unit = digits == std::string::npos
                                      ? std::string_view()
                                      : std::string_view(node.text).substr(digits);
    const std::optional<double> value = parse<double>(number);
    const auto* factor = std::ranges::find(kUnits, unit, [](const auto& u) { return u.first; });
    if (value && factor != std::end(kUnits)) {
      const double seconds = *value * factor->second;
      if (seconds >= 0.001 && seconds <= kMaxSeconds) {
        return std::chrono::milliseconds(std::llround(seconds * 1'000));
      }
    }
  }
  return wrong(file, node, "a duration from 1ms to 24h (\"500ms\", \"5s\", \"2m\", seconds)");
}

Fields::Fields(const std::filesystem::path& file, const YamlNode& node, std::string what)
    : file_(file), node_(node), what_(std::move(what)) {
  if (!node.is(YamlNode::Kind::map)) {
    fail(
        yaml_error(file, node.line, node.column,
                   fmt::format("{} must be a map of keys and values, not {}", what_, shown(node))));
  }
}

const YamlNode* Fields::find(std::string_view key) {
  known_.emplace(key);
  return node_.find(key);
}

void Fields::read(std::string_view key, std::string& value) {
  set(key, value, [&](const YamlNode& node) { return read_text(file_, node); });
}
void Fields::read(std::string_view key, bool& value) {
  set(key, value, [&](const YamlNode& node) { return read_flag(file_, node); });
}
void Fields::read(std::string_view key, std::chrono::milliseconds& value) {
  set(key, value, [&](const YamlNode& node) { return read_duration(file_, node); });
}
void Fields::read(std::string_view key, std::vector<std::string>& values, std::string_view of) {
  const YamlNode* node = find(key);
  if (node == nullptr || node->is(YamlNode::Kind::null)) return;
  const auto scalar = [](const YamlNode& item) { return item.is(YamlNode::Kind::scalar); };
  if (!node->is(YamlNode::Kind::sequence) || !std::ranges::all_of(node->items, scalar)) {
    return fail(key, fmt::format("`{}` must be a list of {}", key, of));
  }
  values.clear();
  for (const YamlNode& item : node->items) values.push_back(item.text);
}
void Fields::read(std::string_view key, float& value, double min, double max) {
  set(key, value, [&](const YamlNode& node) { return read_number(file_, node, min, max); });
}
void Fields::read(std::string_view key, double& value, double min, double max) {
  set(key, value, [&](const YamlNode& node) { return read_number(file_, node, min, max); });
}

void Fields::refuse(std::initializer_list<std::string_view> keys, std::string_view why) {
  for (const std::string_view key : keys) {
    if (has(key)) fail(key, fmt::format("`{}` {}", key, why));
  }
}

void Fields::require(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (!has(key)) fail(key, fmt::format("{} needs `{}`", what_, key));
  }
}

void Fields::fail(std::string_view key, std::string_view what) {
  const YamlNode* node = node_.find(key);
  fail(node != nullptr ? yaml_error(file_, node->key_line, node->key_column, what)
                       : yaml_error(file_, node_.line, node_.column, what));
}

void Fields::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

std::optional<Error> Fields::finish() {
  for (const YamlNode& item : node_.items) {
    if (error_) break;
    if (known_.contains(item.key)) continue;
    const std::vector<std::string> known(known_.begin(), known_.end());
    fail(item.key, fmt::format("{} has no key `{}`{}; known keys: {}", what_, item.key,
                               did_you_mean(item.key, known), list(known)));
  }
  return error_;
}

}  // namespace lichen::policy
