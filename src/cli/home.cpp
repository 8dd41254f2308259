#include "cli/home.h"

#include <cstdlib>

namespace lichen::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBundledConfig = "examples/bundled.yaml";

bool is_home(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kBundledConfig, error);
}

}  // namespace

Result<fs::path> find_home(const char* env, const fs::path& executable, const fs::path& installed) {
  if (env != nullptr && *env != '\0') {
    if (is_home(env)) return env;
    return fail(Errc::not_found, std::string("LICHEN_HOME is ") + env + ", which holds no " +
                                     kBundledConfig + "; it must name Lichen's own folder");
  }
  for (fs::path folder = executable.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (is_home(folder)) return folder;
    if (folder == folder.parent_path()) break;
  }
  if (is_home(installed)) return installed;
  return fail(Errc::not_found, std::string("Lichen's own files (") + kBundledConfig +
                                   ") are neither above " + executable.string() + " nor in " +
                                   installed.string() +
                                   "; set LICHEN_HOME to their folder, or use --config");
}

Result<fs::path> find_home() {
  std::error_code error;
  const auto executable = fs::read_symlink("/proc/self/exe", error);
  return find_home(std::getenv("LICHEN_HOME"), executable, LICHEN_INSTALLED_HOME);
}

Result<fs::path> bundled_config() {
  auto home = find_home();
  if (!home) return home;
  return *home / kBundledConfig;
}

Result<fs::path> demo_config() {
  auto home = find_home();
  if (!home) return home;
  return *home / "examples/demo.yaml";
}

Result<fs::path> find_config(const fs::path& chosen) {
  std::error_code error;
  if (!chosen.empty()) {
    if (fs::exists(chosen, error)) return chosen;
    return fail(Errc::not_found, "the configuration " + chosen.string() + " does not exist");
  }
  if (fs::exists("lichen.yaml", error)) return "lichen.yaml";
  return bundled_config();
}

}  // namespace lichen::cli
