#include "base/replace_file.h"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <system_error>

namespace lichen::base {

Result<void> replace_file(const std::filesystem::path& file, std::string_view bytes) {
  static std::atomic<unsigned> count = 0;
  const std::filesystem::path partial =
      file.string() + "." + std::to_string(getpid()) + "-" + std::to_string(++count) + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(partial, file, error);
  if (stream && !error) return {};
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  return fail(Errc::storage, file.string() + ": cannot be written" +
                                 (error ? ": " + error.message() : std::string()));
}

}  // namespace lichen::base
