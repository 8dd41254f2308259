// The ledger's tables on a PostgreSQL server, in the schema `lichen`, and how older ones become
// those of today.
#pragma once

#include <span>

#include "ledger/postgres.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// SQL that leads from version i to i + 1. Published entries are never changed: a change of the
/// schema is a new one at the end.
std::span<const char* const> server_migrations();

/// Brings the schema to the version after the last of `steps`, each step in a transaction of its
/// own; of several that do so at once one works and the others wait. `bad_config` for a newer
/// version or another program's schema.
Result<void> migrate(Connection& connection,
                     std::span<const char* const> steps = server_migrations());

}  // namespace lichen::ledger
