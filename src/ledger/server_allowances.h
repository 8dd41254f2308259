// Allowances that all gateways share, kept on a PostgreSQL server: open reservations, the buckets
// of rates and what has been spent are rows, and a key's row is locked for each decision.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "ledger/allowances.h"
#include "ledger/postgres_store.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// What was spent is added up, in whole decimals, by the transaction that writes a receipt
/// (PostgresWriter), so the two cannot differ. A reservation stands until the receipts of its
/// request are written, which `written` waits for: at no time does neither count. One whose gateway
/// is gone ends by itself. All times are the server's. Where it is not reached, `reserve` fails
/// with `storage`. `store` must outlive them.
std::unique_ptr<Allowances> server_allowances(const PostgresStore& store,
                                              std::function<Result<void>()> written);

}  // namespace lichen::ledger
