// lichen-distill: trains students. `lichen distill` calls it.
#include <dlfcn.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "cli/distill/train.h"

namespace {

/// The processor whose code OpenBLAS should take, where it does not know this one and would take
/// that for one of 2004, three to four times slower; null where it is well as it is.
const char* better_blas_core() {
#ifdef __x86_64__
  using CoreName = char* (*)();
  const auto name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  if (name == nullptr || std::string_view(name()) != "Prescott") return nullptr;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return "SKYLAKEX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "HASWELL";
#endif
  return nullptr;
}

/// Sets what libraries read before the program begins, and begins anew: OpenMP's threads spin while
/// they wait unless told, and with another one on the same cores both crawl. What the user has set
/// stays.
void begin_anew(char** argv) {
  const char* core = std::getenv("OPENBLAS_CORETYPE") == nullptr ? better_blas_core() : nullptr;
  if (std::getenv("OMP_WAIT_POLICY") != nullptr && core == nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  if (core != nullptr) setenv("OPENBLAS_CORETYPE", core, 0);
  execv("/proc/self/exe", argv);  // where it fails, it goes on slowly
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace lichen::cli;
  begin_anew(argv);
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::warn);
  Invocation invocation;
  CLI::App app("Trains a small model on what a large one says.", "lichen-distill");
  app.set_version_flag("--version", "lichen-distill " LICHEN_VERSION, "The program's version");
  app.set_help_flag("-h,--help", "This text; after a command, that command's");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  add_train(app, invocation);
  for (int i = 0; i < argc; ++i) {
    invocation.command_line += (i == 0 ? "lichen-distill" : std::string(" ") + argv[i]);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;  // help and version are "errors" of status 0
  }
  return invocation.action();
} catch (const std::exception& error) {
  return lichen::cli::report_error({lichen::Errc::internal, error.what()});
}
