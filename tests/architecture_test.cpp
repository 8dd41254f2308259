// ARCHITECTURE.md names files and folders in backticks; each must be there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace lichen {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The paths in backticks, from the root of the repository: whatever has a slash after its first
/// character or ends like a file. Code (`Turn&`, `std::stop_token`) and routes (`/v1/models`) are
/// no paths.
std::vector<std::string> named_paths(const std::string& markdown) {
  static const std::regex kPath(
      R"(`([\w.-][\w./-]*/[\w./-]*|[\w.-]+\.(?:cpp|h|md|txt|cmake|json|jsonl|yaml|gguf|js|mjs|py))`)");
  std::vector<std::string> paths;
  for (std::sregex_iterator it(markdown.begin(), markdown.end(), kPath), end; it != end; ++it) {
    paths.push_back((*it)[1]);
  }
  return paths;
}

std::vector<std::string> missing(const std::vector<std::string>& paths,
                                 const std::filesystem::path& root) {
  std::vector<std::string> gone;
  for (const std::string& path : paths) {
    if (!std::filesystem::exists(root / path)) gone.push_back(path);
  }
  return gone;
}

TEST(Architecture, NamesOnlyWhatIsThere) {
  const std::filesystem::path root = LICHEN_SOURCE_DIR;
  std::ifstream file(root / "ARCHITECTURE.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::vector<std::string> paths = named_paths(text);
  ASSERT_FALSE(paths.empty()) << "ARCHITECTURE.md names no file in backticks, or cannot be read";
  EXPECT_THAT(missing(paths, root), IsEmpty())
      << "ARCHITECTURE.md names these, but they are gone; correct the page";
}

TEST(Architecture, PathsAreToldFromCode) {
  EXPECT_THAT(named_paths("`src/model/` then `src/model/lane.cpp`, `lichenw`, `Turn&`,\n"
                          "`std::stop_token` `/v1/models` `./lichenw` CMakeLists.txt `README.md`"),
              ElementsAre("src/model/", "src/model/lane.cpp", "./lichenw", "README.md"));
}

TEST(Architecture, GoneFilesAreFound) {
  EXPECT_THAT(
      missing({"README.md", "src/no_such_file.cpp", "src", "no_such_folder/"}, LICHEN_SOURCE_DIR),
      ElementsAre("src/no_such_file.cpp", "no_such_folder/"));
}

/// Deadlines and waits go by the steady clock: the other one jumps when somebody sets it. It is for
/// times of day that people or other programs read, and for what outlasts a restart.
TEST(Architecture, TheClockOnTheWallTimesNothing) {
  const std::map<std::string, std::string> allowed = {
      {"src/base/format", "writes times of day"},
      {"src/base/ids.cpp", "ids are in the order of their time"},
      {"src/base/receipt.cpp", "writes a receipt's time"},
      {"src/base/turn.cpp", "when a receipt's turn began"},
      {"src/cli/", "prints times of day"},
      {"src/ledger/",
       "keeps times of day, and periods of budgets, which are those of the calendar"},
      {"src/mechanisms/distillation/model_versions.cpp", "says when a version was made"},
      {"src/mechanisms/policy/auto.cpp", "a budget by the hour outlasts a restart"},
      {"src/mechanisms/policy/chooser_metrics.cpp", "shows that budget"},
      {"src/model/remote/openai_error", "Retry-After may be a date"},
      {"src/serving/api.cpp", "when a model was made known"},
      {"src/serving/api_admin.cpp", "keys and their budgets go by the calendar"},
      {"src/serving/claims.cpp", "claims outlast a restart"},
      {"src/serving/key_ring.cpp", "keys expire at a time of day"},
      {"src/serving/shard.cpp", "the Date header"},
  };
  static const std::regex kWall(R"(system_clock|system_timer|gettimeofday|[^_]time\(nullptr\))");
  const std::filesystem::path root = LICHEN_SOURCE_DIR;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "src")) {
    const std::string path = entry.path().lexically_relative(root).generic_string();
    if (!path.ends_with(".cpp") && !path.ends_with(".h")) continue;
    if (path.ends_with("_test.cpp") || path.find("test_") != std::string::npos) continue;
    const bool known = std::ranges::any_of(
        allowed, [&path](const auto& file) { return path.starts_with(file.first); });
    if (known) continue;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    if (std::regex_search(text, kWall)) found.push_back(path);
  }
  EXPECT_THAT(found, IsEmpty())
      << "use std::chrono::steady_clock, or say in this test why it must be the time of day";
}

}  // namespace
}  // namespace lichen
