// Fields that requests have in several APIs, checked. Errors go into `body`.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/turn.h"
#include "serving/json_fields.h"

namespace lichen::serving {

inline constexpr std::size_t kMaxTools = 128;
inline constexpr std::size_t kMaxParts = 4'096;

/// Empty, with an error, where it is not there.
std::string required_text(JsonFields& in, std::string_view key);
/// Over 0, up to 1.
std::optional<float> read_top_p(JsonFields& body);
/// A `tool_choice` of OpenAI's that names a function.
boost::json::object forced_tool(std::string_view name);
/// A string, or an array of at most `most`.
std::vector<std::string> read_stop(JsonFields& body, const char* key, std::size_t most);
/// At most `cap`, which stands where there is none; 0: no cap.
std::optional<int> read_max_tokens(JsonFields& body, const char* key, int cap);

// Of Lichen's own, in all APIs:
std::optional<std::string> read_document(JsonFields& body);
std::optional<std::chrono::milliseconds> read_timeout(JsonFields& body);
Priority read_priority(JsonFields& body);

/// Of a tool: 1 to 64 letters, digits, _ or -.
bool valid_name(std::string_view name);
/// "content[2]"
std::string element(std::string_view path, std::size_t index);

}  // namespace lichen::serving
