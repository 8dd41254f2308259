// Whether what a configuration says of a model, the ledger or the server is the same as before.
#pragma once

#include "policy/config.h"

namespace lichen::policy {

/// Its name and all options, whatever line they stand in.
bool same_model(const ModelConfig& one, const ModelConfig& other);

/// All but where things stand in the file.
bool same_serve(const ServeConfig& one, const ServeConfig& other);
bool same_ledger(const LedgerConfig& one, const LedgerConfig& other);

}  // namespace lichen::policy
