// The ledger that a configuration names.
#pragma once

#include <memory>
#include <string>

#include "ledger/ledger.h"
#include "lichen/result.h"
#include "policy/config.h"

namespace lichen::policy {

/// A file, a server's tables, or the memory of this process (`path: none`).
Result<std::unique_ptr<ledger::Ledger>> open_ledger(const LedgerConfig& config);

/// Where it is: a path or a url; "none".
Result<std::string> ledger_place(const LedgerConfig& config);

/// Whether both are the same place, so that one ledger does for both.
bool same_place(const LedgerConfig& one, const LedgerConfig& other);

}  // namespace lichen::policy
