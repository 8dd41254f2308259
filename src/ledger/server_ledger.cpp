// The ledger on a PostgreSQL server.
#include <utility>

#include "ledger/ledger.h"
#include "ledger/postgres_store.h"
#include "ledger/stored_ledger.h"

namespace lichen::ledger {

Result<std::unique_ptr<Ledger>> Ledger::connect(Server server, LedgerOptions options) {
  return StoredLedger::open(
      std::make_unique<PostgresStore>(std::move(server), options.server_timeout), options);
}

}  // namespace lichen::ledger
