// For tests of error places: YAML with a ^ before the place that an error must name.
#pragma once

#include <algorithm>
#include <string>

namespace lichen::policy {

struct MarkedYaml {
  std::string yaml;   // without the mark
  std::string place;  // "line:column: "
};

inline MarkedYaml read_marked(std::string marked) {
  const std::size_t at = marked.find('^');
  const std::size_t line_start = marked.rfind('\n', at) + 1;  // npos + 1 is the first line's
  const auto line = std::count(marked.begin(), marked.begin() + static_cast<long>(at), '\n') + 1;
  marked.erase(at, 1);
  return {.yaml = marked,
          .place = std::to_string(line) + ":" + std::to_string(at - line_start + 1) + ": "};
}

}  // namespace lichen::policy
