// The ledger that a configuration names, for commands that load no model.
#pragma once

#include <filesystem>
#include <memory>

#include "ledger/ledger.h"

namespace lichen::cli {

/// `chosen`: see find_config. `bad_config` where the configuration keeps no ledger.
Result<std::unique_ptr<ledger::Ledger>> open_ledger(const std::filesystem::path& chosen);

/// The ledger in a file that is there; `not_found` where it is not.
Result<std::unique_ptr<ledger::Ledger>> open_ledger_file(const std::filesystem::path& file);

}  // namespace lichen::cli
