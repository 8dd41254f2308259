// Server-sent events with names, taken apart again: for tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::serving {

/// The data of each event, which says its own name once more under "type".
inline std::vector<boost::json::value> named_events(std::string_view stream) {
  std::vector<boost::json::value> list;
  while (!stream.empty()) {
    const auto end = stream.find("\n\n");
    EXPECT_NE(end, stream.npos);
    const std::string_view event = stream.substr(0, end);
    const auto line = event.find("\ndata: ");
    EXPECT_TRUE(event.starts_with("event: ") && line != event.npos) << event;
    if (end == stream.npos || line == event.npos) return list;
    list.push_back(boost::json::parse(boost::json::string_view(event.substr(line + 7))));
    EXPECT_EQ(list.back().at("type"), boost::json::string_view(event.substr(7, line - 7)));
    stream.remove_prefix(end + 2);
  }
  return list;
}

/// Their types.
inline std::vector<std::string> types_of(const std::vector<boost::json::value>& events) {
  std::vector<std::string> types;
  for (const auto& event : events) types.emplace_back(event.at("type").as_string());
  return types;
}

}  // namespace lichen::serving
