// A model's file, looked at before libllama sees it.
#include "model/gguf_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("fuzz.gguf", 0);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (const auto info = lichen::model::inspect_gguf(path)) {
    lichen::fuzz::check(info->file_bytes <= size, "no more bytes than there are");
  }
  (void)lichen::model::read_gguf_tokens(path);
  close(file);
  return 0;
}
