// The ledger's tables, and how an older file becomes one of today.
#pragma once

#include <cstdint>
#include <span>

#include "ledger/sqlite.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// SQL that leads from schema version i to i + 1. Published entries are never changed: a change of
/// the schema is a new one at the end.
std::span<const char* const> migrations();

/// Brings `database` to the version after the last of `steps`, each step in a transaction of its
/// own; a new file starts at version 0. `bad_config` for a newer version or another program's file.
Result<void> migrate(Database& database, std::span<const char* const> steps = migrations());

}  // namespace lichen::ledger
