// Ids that sort by time.
#pragma once

#include <string>
#include <string_view>

namespace lichen::base {

/// `prefix` and a ULID (github.com/ulid/spec): 48 bits of milliseconds and 80 random bits in
/// Crockford base 32. Ids of one process rise strictly. Safe from any thread.
std::string new_id(std::string_view prefix);

}  // namespace lichen::base
