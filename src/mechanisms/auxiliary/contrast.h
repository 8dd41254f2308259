// `contrast`: large writes what it finds likelier than an amateur does. `proxy_tune`: large writes
// as tuning would have it, seen on a small model before and after.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// Contrastive decoding (logit_rules.h).
Result<AnswererPtr> build_contrast(Options& options);
/// Proxy-tuning (logit_rules.h).
Result<AnswererPtr> build_proxy_tune(Options& options);

}  // namespace lichen::mechanisms
