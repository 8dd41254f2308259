#include "mechanisms/distillation/training/blas.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <cstdlib>
#include <memory>

namespace lichen::training {

std::string blas_library() {
  if (at::hasMKL()) return "MKL";
  Dl_info found;
  void* const multiply = dlsym(RTLD_DEFAULT, "sgemm_");
  if (multiply == nullptr || dladdr(multiply, &found) == 0) return "";
  // Behind Debian's links lies a folder that tells them apart.
  const std::unique_ptr<char, decltype(&std::free)> path(realpath(found.dli_fname, nullptr),
                                                         &std::free);
  return path ? path.get() : found.dli_fname;
}

bool is_fast_blas(const std::string& library) {
  for (const char* name : {"MKL", "openblas", "mkl", "blis", "libarmpl"}) {
    if (library.find(name) != std::string::npos) return true;
  }
  return library.empty();  // a build of its own; nothing is known against it
}

}  // namespace lichen::training
