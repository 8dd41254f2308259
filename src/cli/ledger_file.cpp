#include "cli/ledger_file.h"

#include "cli/host.h"
#include "policy/open_ledger.h"

namespace lichen::cli {

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const std::filesystem::path& chosen) {
  const auto config = load_chosen_config(chosen);
  if (!config) return std::unexpected(config.error());
  if (config->ledger.path == "none") {
    return fail(Errc::bad_config, config->file.string() +
                                      ": `ledger: {path: none}` keeps no ledger; a file's path "
                                      "would");
  }
  return policy::open_ledger(config->ledger);
}

Result<std::unique_ptr<ledger::Ledger>> open_ledger_file(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return fail(Errc::not_found, "there is no ledger " + file.string());
  }
  return ledger::Ledger::open(file);
}

}  // namespace lichen::cli
