// `mask`: private values never leave this device in clear text.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// Options: `plan`, whose remote models get placeholders in the place of private values and whose
/// answers come back with them (`make_masked`); local ones read all as it is. `policy`: `mask`;
/// `block` refuses a request with private values; `local_only` has the plan `local` answer it, of
/// local models alone, and refuses what would leave with one later on. `kinds`: what is looked for,
/// default all. `dictionary`: a file of the user's own words (privacy::parse_dictionary).
///
/// The vault is one request's (RequestVault), its last check the turn's egress check, also in the
/// work that the plan leaves for later. The receipt has kinds and counts of each call that left,
/// what is recorded of prompts is masked.
Result<AnswererPtr> build_mask(Options& options);

}  // namespace lichen::mechanisms
