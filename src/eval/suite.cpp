#include "eval/suite.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <set>
#include <sstream>

namespace lichen::eval {
namespace {

constexpr std::uintmax_t kMaxSuiteBytes = 256u << 20;

Result<std::string> text_field(const boost::json::object& object, std::string_view key,
                               bool required) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) {
    if (!required) return std::string{};
    return fail(Errc::bad_request, "\"" + std::string(key) + "\" is missing");
  }
  if (!value->is_string()) {
    return fail(Errc::bad_request, "\"" + std::string(key) + "\" must be a string");
  }
  return std::string(value->get_string());
}

Result<Task> parse_task(std::string_view line) {
  boost::system::error_code error;
  const auto value = boost::json::parse(line, error);
  if (error) return fail(Errc::bad_request, "not JSON: " + error.message());
  if (!value.is_object()) return fail(Errc::bad_request, "a task must be a JSON object");
  const auto& object = value.get_object();
  for (const auto& [key, unused] : object) {
    constexpr std::string_view kKnown[] = {"id",       "family",    "level", "prompt",
                                           "document", "reference", "check", "answer"};
    if (std::ranges::find(kKnown, std::string_view(key)) == std::end(kKnown)) {
      return fail(Errc::bad_request, "unknown key \"" + std::string(key) +
                                         "\"; known are id, family, level, prompt, document, "
                                         "reference, check, answer");
    }
  }

  Task task;
  struct Field {
    std::string_view key;
    std::string Task::* member;
    bool required;
  };
  constexpr Field kFields[] = {{"id", &Task::id, false},
                               {"family", &Task::family, false},
                               {"prompt", &Task::prompt, true},
                               {"document", &Task::document, false},
                               {"reference", &Task::reference, false},
                               {"answer", &Task::answer, false}};
  for (const auto& [key, member, required] : kFields) {
    auto text = text_field(object, key, required);
    if (!text) return std::unexpected(text.error());
    task.*member = std::move(*text);
  }
  if (task.prompt.empty()) return fail(Errc::bad_request, "\"prompt\" is empty");

  if (const auto* level = object.if_contains("level")) {
    if (!level->is_int64() || level->get_int64() < 0 || level->get_int64() > 1'000) {
      return fail(Errc::bad_request, "\"level\" must be a whole number from 0 to 1000");
    }
    task.level = static_cast<int>(level->get_int64());
  }

  const auto name = text_field(object, "check", true);
  if (!name) return std::unexpected(name.error());
  const auto check = find_check(*name);
  if (!check) return fail(Errc::bad_request, check.error().detail);
  task.check = *check;
  const bool compares = task.check->right != nullptr;
  if (auto reference = text_field(object, "reference", compares); !reference) {
    return std::unexpected(reference.error());
  }
  if (auto fits = task.check->accepts(task.reference); !fits) {
    return std::unexpected(fits.error());
  }
  return task;
}

}  // namespace

Result<Suite> parse_suite(std::string_view jsonl, const std::filesystem::path& origin) {
  Suite suite{.name = origin.stem().string(), .tasks = {}};
  std::set<std::string> ids;
  int number = 0;
  while (!jsonl.empty()) {
    ++number;
    const auto end = jsonl.find('\n');
    const auto line = jsonl.substr(0, end);
    jsonl.remove_prefix(end == std::string_view::npos ? jsonl.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;

    const auto where = origin.string() + ":" + std::to_string(number) + ": ";
    auto task = parse_task(line);
    if (!task) return fail(Errc::bad_request, where + task.error().detail);
    if (task->id.empty()) task->id = std::to_string(number);
    if (!ids.insert(task->id).second) {
      return fail(Errc::bad_request, where + "the id \"" + task->id + "\" stands above already");
    }
    suite.tasks.push_back(std::move(*task));
  }
  if (suite.tasks.empty()) return fail(Errc::bad_request, origin.string() + ": holds no task");
  return suite;
}

Result<Suite> load_suite(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) return fail(Errc::not_found, file.string() + ": " + error.message());
  if (bytes > kMaxSuiteBytes) {
    return fail(Errc::too_large, file.string() + ": a suite has at most 256 MiB");
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return fail(Errc::not_found, file.string() + ": cannot be read");
  return parse_suite(text.view(), file);
}

Suite selected(Suite suite, const Selection& selection) {
  const auto unwanted = [&](const Task& task) {
    const auto& [families, levels, limit] = selection;
    return (!families.empty() && std::ranges::find(families, task.family) == families.end()) ||
           (!levels.empty() && std::ranges::find(levels, task.level) == levels.end());
  };
  std::erase_if(suite.tasks, unwanted);
  if (selection.limit) suite.tasks.resize(std::min(*selection.limit, suite.tasks.size()));
  return suite;
}

}  // namespace lichen::eval
