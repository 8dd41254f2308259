#include "eval/route_data.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "mechanisms/routing/hashing.h"

namespace lichen::eval {
namespace {

constexpr std::uintmax_t kMaxDataBytes = 1u << 30;

struct Line {
  mechanisms::Example example;
  std::string subject;
  std::vector<double> features;
};

std::unexpected<Error> wrong(std::string what) { return fail(Errc::bad_request, std::move(what)); }

Result<bool> flag(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return wrong(fmt::format("\"{}\" is missing", key));
  if (!value->is_bool()) return wrong(fmt::format("\"{}\" must be true or false", key));
  return value->get_bool();
}

Result<std::vector<double>> numbers(const boost::json::value& value) {
  constexpr std::string_view kWrong = "\"features\" must be a list of finite numbers";
  if (!value.is_array()) return wrong(std::string(kWrong));
  std::vector<double> features;
  for (const auto& item : value.get_array()) {
    boost::system::error_code error;
    const auto number = item.to_number<double>(error);
    if (error || !std::isfinite(number)) return wrong(std::string(kWrong));
    features.push_back(number);
  }
  return features;
}

Result<Line> parse_line(std::string_view text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error) return wrong("not JSON: " + error.message());
  if (!value.is_object()) return wrong("a line must be a JSON object");
  const auto& object = value.get_object();
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
    line.features = *std::move(read);
  }
  return line;
}

std::uint64_t prompt_hash(const mechanisms::Example& example, std::uint64_t seed) {
  return mechanisms::mixed(mechanisms::hash_of(mechanisms::normalized(example.prompt)) ^
                           mechanisms::mixed(seed));
}

}  // namespace

Result<RouteData> parse_route_data(std::string_view jsonl, const std::filesystem::path& origin) {
  RouteData data{.hash = mechanisms::sha256(jsonl)};
  std::unordered_set<std::string> prompts;
  bool with_features = false;
  std::size_t number = 0;
  while (!jsonl.empty()) {
    ++number;
    const auto end = jsonl.find('\n');
    const auto text = jsonl.substr(0, end);
    jsonl.remove_prefix(end == std::string_view::npos ? jsonl.size() : end + 1);
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto where = fmt::format("{}:{}: ", origin.string(), number);
    auto line = parse_line(text);
    if (!line) return wrong(where + line.error().detail);
    if (data.examples.empty()) with_features = !line->features.empty();
    if (line->features.size() != (with_features && !data.features.empty()
                                      ? data.features.front().size()
                                  : with_features ? line->features.size()
                                                  : 0)) {
      return wrong(where + "\"features\" must be as many as on the first line");
    }
    if (!prompts.insert(mechanisms::normalized(line->example.prompt)).second) ++data.duplicates;
    data.examples.push_back(std::move(line->example));
    data.subjects.push_back(std::move(line->subject));
    if (with_features) data.features.push_back(std::move(line->features));
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
