// What a virtual key's holder sends: "lk-ID-SECRET". Kept is its hash alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ledger/key.h"

namespace lichen::ledger {

struct NewKey {
  Key key;
  std::string text;  // what the holder sends; shown once and never kept
};

/// With 192 random bits, which no search finds: SHA-256 is enough of a hash. `internal` where the
/// system has no randomness to give.
Result<NewKey> new_key(std::string name, KeyLimits limits);

/// The id in a text of that form.
std::optional<std::string> key_id(std::string_view text);
/// Whether it is this key's. Takes a time that tells nothing about the hash.
bool opens(const Key& key, std::string_view text);

/// Neither revoked nor expired.
bool valid(const Key& key, std::chrono::system_clock::time_point now);

}  // namespace lichen::ledger
