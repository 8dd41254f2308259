#include "serving/request_fields.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>

#include "base/ascii.h"
#include "base/document.h"

namespace lichen::serving {
namespace {

constexpr std::size_t kMaxStopBytes = 1'024;
constexpr double kMaxTimeoutSeconds = 86'400;

}  // namespace

std::string required_text(JsonFields& in, std::string_view key) {
  const auto text = in.text(key);
  if (!text) in.wrong(key, "is required and must be a string");
  return std::string(text.value_or(""));
}

std::optional<float> read_top_p(JsonFields& body) {
  const auto top_p = body.real("top_p", 0, 1);
  if (top_p == 0.0F) body.wrong("top_p", "must be above 0");
  return top_p;
}

boost::json::object forced_tool(std::string_view name) {
  return {{"type", "function"}, {"function", {{"name", name}}}};
}

std::vector<std::string> read_stop(JsonFields& body, const char* key, std::size_t most) {
  const auto* value = body.any(key);
  if (value == nullptr) return {};
  std::vector<std::string> stops;
  if (const auto* text = value->if_string()) {
    stops.emplace_back(*text);
  } else if (value->is_array()) {
    const auto* list = body.array(key, most);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto* entry = (*list)[i].if_string();
      if (entry == nullptr) {
        body.wrong(element(key, i), "must be a string");
        return {};
      }
      stops.emplace_back(*entry);
    }
  } else {
    body.wrong(key, "must be a string or an array of up to " + std::to_string(most) + " strings");
  }
  for (const auto& stop : stops) {
    if (stop.empty() || stop.size() > kMaxStopBytes) {
      body.wrong(key, "each must have 1 to " + std::to_string(kMaxStopBytes) + " bytes");
    }
  }
  return stops;
}

std::optional<int> read_max_tokens(JsonFields& body, const char* key, int cap) {
  const auto tokens = body.integer(key, 1, std::numeric_limits<int>::max());
  if (cap == 0) return tokens ? std::optional(static_cast<int>(*tokens)) : std::nullopt;
  if (tokens && *tokens > cap) {
    body.wrong(key, "must be at most " + std::to_string(cap) + ", this server's limit");
  }
  return static_cast<int>(tokens.value_or(cap));
}

std::optional<std::string> read_document(JsonFields& body) {
  const auto document = body.text("document");
  if (!document) return std::nullopt;
  if (const auto text = base::check_document(*document); !text) {
    body.wrong("document", "cannot be read: " + text.error().detail);
  }
  return std::string(*document);
}

std::optional<std::chrono::milliseconds> read_timeout(JsonFields& body) {
  const auto seconds = body.number("timeout", 0.001, kMaxTimeoutSeconds);
  if (!seconds) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1'000));
}

Priority read_priority(JsonFields& body) {
  const auto priority = body.choice("priority", {"interactive", "background"});
  return priority == "background" ? Priority::background : Priority::interactive;
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return base::is_alphanumeric(c) || c == '_' || c == '-';
  });
}

std::string element(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

}  // namespace lichen::serving
