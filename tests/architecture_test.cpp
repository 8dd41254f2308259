// ARCHITECTURE.md names files and folders in backticks; each must be there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
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

}  // namespace
}  // namespace lichen
