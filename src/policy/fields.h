// Typed reading of the values under a YAML map, with errors that name file, line and what would be
// right.
//
//   Fields fields(file, node, "model `small`");
//   fields.read("context", options.context, 0, 1 << 24);
//   fields.read("idle", options.idle_timeout);
//   if (std::optional<Error> error = fields.finish()) ...
//
// The first error sticks: later reads change nothing, and `finish` returns it. A key that nobody
// has read is an error too.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "policy/yaml.h"

namespace lichen::policy {

// One value. Errors speak of it by its key.
Result<std::string> read_text(const std::filesystem::path& file, const YamlNode& node);
Result<bool> read_flag(const std::filesystem::path& file, const YamlNode& node);
Result<std::int64_t> read_integer(const std::filesystem::path& file, const YamlNode& node,
                                  std::int64_t min, std::int64_t max);
Result<double> read_number(const std::filesystem::path& file, const YamlNode& node, double min,
                           double max);
/// "5s", "500ms", "2m", "1h", or a number of seconds; more than 0, at most a day.
Result<std::chrono::milliseconds> read_duration(const std::filesystem::path& file,
                                                const YamlNode& node);

class Fields {
 public:
  /// `what` is what the map describes, for messages. A node that is no map is an error.
  Fields(const std::filesystem::path& file, const YamlNode& node, std::string what);

  /// The value of a key, or null; marks the key known.
  const YamlNode* find(std::string_view key);
  bool has(std::string_view key) const { return node_.find(key) != nullptr; }

  // A key that is not there leaves `value` as it is.
  void read(std::string_view key, std::string& value);
  void read(std::string_view key, bool& value);
  void read(std::string_view key, std::chrono::milliseconds& value);
  /// A list of texts; `of` says in an error what it lists.
  void read(std::string_view key, std::vector<std::string>& values, std::string_view of);
  void read(std::string_view key, float& value, double min, double max);
  void read(std::string_view key, double& value, double min, double max);
  template <class Integer>
  void read(std::string_view key, Integer& value, std::int64_t min, std::int64_t max) {
    set(key, value, [&](const YamlNode& node) { return read_integer(file_, node, min, max); });
  }
  template <class T>
  void read(std::string_view key, std::optional<T>& value, auto min, auto max) {
    if (!has(key)) return (void)find(key);
    T present{};
    read(key, present, min, max);
    value = present;
  }

  /// Keys that have their place elsewhere: `why` goes into the error instead of a guess.
  void refuse(std::initializer_list<std::string_view> keys, std::string_view why);
  void require(std::initializer_list<std::string_view> keys);
  /// An error at the key's place, or the map's when the key is not there.
  void fail(std::string_view key, std::string_view what);
  void fail(Error error);
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }

  /// The first error: one of reading, or an unknown key with the nearest known one.
  std::optional<Error> finish();

 private:
  template <class T, class Read>
  void set(std::string_view key, T& value, Read read_node) {
    const YamlNode* node = find(key);
    if (node == nullptr || error_) return;
    auto result = read_node(*node);
    if (!result) return fail(std::move(result).error());
    value = static_cast<T>(*std::move(result));
  }

  const std::filesystem::path& file_;
  const YamlNode& node_;
  const std::string what_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace lichen::policy
