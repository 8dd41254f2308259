#include "cli/ledger_file.h"

#include "cli/host.h"

namespace lichen::cli {

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const std::filesystem::path& chosen) {
  const auto config = load_chosen_config(chosen);
  if (!config) return std::unexpected(config.error());
  auto path = config->ledger.path;
  if (path == "none") {
    return fail(Errc::bad_config, config->file.string() +
                                      ": `ledger: {path: none}` keeps no ledger; a file's path "
                                      "would");
  }
  if (path.empty()) {
    auto found = ledger::default_path();
    if (!found) return std::unexpected(found.error());
    path = *found;
  }
  return ledger::Ledger::open(path);
}

Result<std::unique_ptr<ledger::Ledger>> open_ledger_file(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return fail(Errc::not_found, "there is no ledger " + file.string());
  }
  return ledger::Ledger::open(file);
}

}  // namespace lichen::cli
