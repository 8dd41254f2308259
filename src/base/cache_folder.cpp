#include "base/cache_folder.h"

#include <cstdlib>

namespace lichen::base {

namespace fs = std::filesystem;

fs::path cache_folder() {
  // Relative folders would differ from one working directory to the next: as if they were not set.
  const auto folder = [](const char* name) {
    const char* value = std::getenv(name);
    fs::path path = value == nullptr ? "" : value;
    return path.is_absolute() ? path : fs::path();
  };
  if (const fs::path cache = folder("XDG_CACHE_HOME"); !cache.empty()) return cache / "lichen";
  if (const fs::path home = folder("HOME"); !home.empty()) return home / ".cache/lichen";
  return {};
}

}  // namespace lichen::base
