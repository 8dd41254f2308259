// The last look at a body before it leaves the device.
#pragma once

#include <string_view>

#include "lichen/result.h"
#include "privacy/vault.h"

namespace lichen::privacy {

/// Whether none of the vault's values stands in `body`, in any case and as a whole word: as it is,
/// with JSON's escapes (also those of a JSON text in a JSON string), URL-encoded, and the latter in
/// the former. `refused` names the kind and the placeholder, never the value. Values of fewer than
/// `kShortestSought` bytes and literals are not looked for, nor other encodings, such as base64. A
/// value that is a word of the protocol, "content", may stand where the protocol says it: alone in
/// quotes.
Result<void> check_egress(const Vault& vault, std::string_view body);

}  // namespace lichen::privacy
