// A YAML document as a tree of values that knows where each one stands, with limits that hostile
// input cannot pass: at most 1 MiB, 64 levels and 50,000 nodes, aliases counted as what they stand
// for. The only file that yaml-cpp is visible in is yaml.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::policy {

inline constexpr std::size_t kMaxYamlBytes = 1u << 20;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 50'000;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar in quotes or a block: text, whatever it looks like
  int line = 1;         // both from 1
  int column = 1;
  std::vector<YamlNode> items;  // of a sequence; of a map: the values, in order, with their keys

  std::string key;  // of a map's value; unique within the map
  int key_line = 1;
  int key_column = 1;

  bool is(Kind wanted) const { return kind == wanted; }
  /// A map's value by key, or null.
  const YamlNode* find(std::string_view wanted) const;
};

/// "lichen.yaml:7:3: what", as `bad_config`.
Error yaml_error(const std::filesystem::path& file, int line, int column, std::string_view what);

/// The bytes of a file of a `kind` that messages call it by ("configuration"). `not_found` when it
/// is not there, `bad_config` when it cannot be read.
Result<std::string> read_yaml_file(const std::filesystem::path& file, std::string_view kind);

/// Parses one document. `file` is for messages. An empty document is a null node.
Result<YamlNode> parse_yaml(const std::string& yaml, const std::filesystem::path& file);

}  // namespace lichen::policy
