#include "cli/find_trainer.h"

#include <unistd.h>

#include <system_error>

namespace lichen::cli {

namespace fs = std::filesystem;

Result<fs::path> find_trainer() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& trainer : {folder / "lichen-distill", folder / "distill/lichen-distill"}) {
    if (::access(trainer.c_str(), X_OK) == 0) return trainer;
  }
  return fail(Errc::not_found,
              "this build has no lichen-distill, which trains: `./lichenw distill train` installs "
              "what it needs and builds it, as does cmake with -DLICHEN_TRAIN=ON");
}

}  // namespace lichen::cli
