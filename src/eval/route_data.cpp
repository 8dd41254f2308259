#include "eval/route_data.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/prefill_features.h"

namespace lichen::eval {
namespace {

constexpr std::uintmax_t kMaxDataBytes = 1u << 30;

struct Line {
  mechanisms::Example example;
  std::string subject;
};

/// Keys that say the same on every line.
constexpr std::pair<std::string_view, std::string RouteData::*> kOrigins[] = {
    {"small_hash", &RouteData::small_hash},
    {"large_hash", &RouteData::large_hash},
    {"features_schema", &RouteData::features_schema}};

std::unexpected<Error> wrong(std::string what) { return fail(Errc::bad_request, std::move(what)); }

Result<bool> flag(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return wrong(fmt::format("\"{}\" is missing", key));
  if (!value->is_bool()) return wrong(fmt::format("\"{}\" must be true or false", key));
  return value->get_bool();
}

Result<std::vector<float>> numbers(const boost::json::value& value) {
  constexpr std::string_view kWrong = "\"features\" must be a list of finite numbers";
  if (!value.is_array()) return wrong(std::string(kWrong));
  std::vector<float> features;
  for (const auto& item : value.get_array()) {
    boost::system::error_code error;
    const auto number = static_cast<float>(item.to_number<double>(error));
    if (error || !std::isfinite(number)) return wrong(std::string(kWrong));
    features.push_back(number);
  }
  return features;
}

Result<Line> parse_line(const boost::json::object& object) {
  Line line;
  const auto* prompt = object.if_contains("prompt");
  if (prompt == nullptr || !prompt->is_string()) return wrong("\"prompt\" must be a string");
  line.example.prompt = prompt->get_string();
  if (mechanisms::normalized(line.example.prompt).empty()) return wrong("\"prompt\" is empty");
  const auto small = flag(object, "small_correct");
  if (!small) return std::unexpected(small.error());
  const auto large = flag(object, "large_correct");
  if (!large) return std::unexpected(large.error());
  line.example.small_right = *small;
  line.example.large_right = *large;
  if (const auto* subject = object.if_contains("subject")) {
    if (!subject->is_string()) return wrong("\"subject\" must be a string");
    line.subject = subject->get_string();
  }
  if (const auto* features = object.if_contains("features")) {
    auto read = numbers(*features);
    if (!read) return std::unexpected(read.error());
    line.example.features = *std::move(read);
  }
  return line;
}

Result<boost::json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  if (error) return wrong("not JSON: " + error.message());
  if (!value.is_object()) return wrong("a line must be a JSON object");
  return std::move(value.get_object());
}

/// Takes over what the first line says, and holds the others to it.
Result<void> read_origins(RouteData& data, const boost::json::object& object) {
  for (const auto& [key, member] : kOrigins) {
    const auto* value = object.if_contains(key);
    if (value != nullptr && !value->is_string()) {
      return wrong(fmt::format("\"{}\" must be a string", key));
    }
    const auto text = value != nullptr ? std::string(value->get_string()) : std::string();
    if (data.examples.empty()) data.*member = text;
    if (data.*member != text) {
      return wrong(fmt::format("\"{}\" must be the same as on the first line", key));
    }
  }
  return {};
}

std::uint64_t prompt_hash(const mechanisms::Example& example, std::uint64_t seed) {
  return mechanisms::mixed(mechanisms::hash_of(mechanisms::normalized(example.prompt)) ^
                           mechanisms::mixed(seed));
}

}  // namespace

Result<RouteData> parse_route_data(std::string_view jsonl, const std::filesystem::path& origin) {
  RouteData data{.hash = base::sha256_hex(jsonl)};
  std::unordered_set<std::string> prompts;
  std::size_t number = 0;
  while (!jsonl.empty()) {
    ++number;
    const auto end = jsonl.find('\n');
    const auto text = jsonl.substr(0, end);
    jsonl.remove_prefix(end == std::string_view::npos ? jsonl.size() : end + 1);
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto where = fmt::format("{}:{}: ", origin.string(), number);
    const auto object = parse_object(text);
    if (!object) return wrong(where + object.error().detail);
    auto line = parse_line(*object);
    if (!line) return wrong(where + line.error().detail);
    if (!data.examples.empty() &&
        line->example.features.size() != data.examples.front().features.size()) {
      return wrong(where + "\"features\" must be as many as on the first line");
    }
    if (auto told = read_origins(data, *object); !told) return wrong(where + told.error().detail);
    if (!prompts.insert(mechanisms::normalized(line->example.prompt)).second) ++data.duplicates;
    data.examples.push_back(std::move(line->example));
    data.subjects.push_back(std::move(line->subject));
  }
  if (data.examples.empty()) return wrong(origin.string() + ": holds no prompt");
  return data;
}

Result<RouteData> load_route_data(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) return fail(Errc::not_found, file.string() + ": " + error.message());
  if (bytes > kMaxDataBytes) {
    return fail(Errc::too_large, file.string() + ": routers are trained on at most 1 GiB");
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return fail(Errc::not_found, file.string() + ": cannot be read");
  return parse_route_data(text.view(), file);
}

std::string to_jsonl(const RouteData& data) {
  std::string text;
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const auto& example = data.examples[i];
    boost::json::object line{{"prompt", example.prompt},
                             {"small_correct", example.small_right},
                             {"large_correct", example.large_right}};
    if (!data.subjects[i].empty()) line["subject"] = data.subjects[i];
    for (const auto& [key, member] : kOrigins) {
      if (!(data.*member).empty()) line[key] = data.*member;
    }
    text += boost::json::serialize(line);
    if (!example.features.empty()) {
      // The shortest digits that give the same floats, which Boost.JSON has for doubles only.
      text.back() = ',';
      text += fmt::format("\"features\":[{}]}}", fmt::join(example.features, ","));
    }
    text += '\n';
  }
  return text;
}

Result<void> check_prefill_origin(const RouteData& data) {
  if (data.small_hash.empty()) {
    return wrong(
        "does not say which small model its features are of (`small_hash`); `lichen route "
        "collect` makes such data");
  }
  if (data.features_schema == mechanisms::kPrefillSchema) return {};
  return wrong(
      fmt::format("its features are of the schema `{}`, and this program reads `{}`; "
                  "collect them anew",
                  data.features_schema, mechanisms::kPrefillSchema));
}

Result<void> check_unseen(const RouteData& data, const mechanisms::RouterFile& router) {
  const auto& origin = router.origin;
  if (data.hash == origin.data_hash) {
    return wrong("the router was trained on this very file; give data that it has not seen");
  }
  const auto check = [](std::string_view which, const std::string& here, const std::string& there) {
    if (here.empty() || there.empty() || here == there) return Result<void>();
    return Result<void>(wrong(
        fmt::format("is of another {} model (SHA-256 {}) than the router was trained for ({})",
                    which, here, there)));
  };
  auto good = check("small", data.small_hash, origin.small_hash);
  return good ? check("large", data.large_hash, origin.large_hash) : good;
}

std::vector<int> folds_by_prompt(const RouteData& data, int folds, std::uint64_t seed) {
  std::vector<int> parts;
  parts.reserve(data.examples.size());
  for (const auto& example : data.examples) {
    parts.push_back(
        static_cast<int>(prompt_hash(example, seed) % static_cast<std::uint64_t>(folds)));
  }
  return parts;
}

Result<std::vector<int>> folds_by_subject(const RouteData& data, int folds, std::uint64_t seed) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& subject : data.subjects) ++sizes[subject];
  if (std::ssize(sizes) < folds) {
    return wrong(fmt::format("{} subjects cannot be split into {} parts", sizes.size(), folds));
  }
  // In random order, each to the part that is smallest so far.
  std::vector<std::string> order;
  for (const auto& [subject, size] : sizes) order.push_back(subject);
  std::ranges::sort(order, {}, [&](const std::string& subject) {
    return mechanisms::mixed(mechanisms::hash_of(subject) ^ mechanisms::mixed(seed));
  });
  std::vector<std::size_t> filled(static_cast<std::size_t>(folds));
  std::map<std::string, int> part_of;
  for (const auto& subject : order) {
    const auto smallest = std::ranges::min_element(filled) - filled.begin();
    filled[static_cast<std::size_t>(smallest)] += sizes[subject];
    part_of[subject] = static_cast<int>(smallest);
  }
  std::unordered_map<std::string, int> part_of_prompt;
  std::vector<int> parts;
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    parts.push_back(
        part_of_prompt
            .emplace(mechanisms::normalized(data.examples[i].prompt), part_of[data.subjects[i]])
            .first->second);
  }
  return parts;
}

}  // namespace lichen::eval
