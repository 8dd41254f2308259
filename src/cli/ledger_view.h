// How the ledger looks to people and as JSON. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "ledger/ledger.h"

namespace lichen::cli {

using SystemTime = std::chrono::system_clock::time_point;

/// "90s", "30m", "24h", "7d" before `now`, or "all". `bad_request` otherwise.
Result<SystemTime> parse_since(std::string_view text, SystemTime now);

std::string totals_text(const ledger::Totals& totals, std::string_view since,
                        const Terminal& terminal);
std::string receipts_table(std::span<const Receipt> receipts, const Terminal& terminal);

/// {"since", "all": {...}, "plans": [...], "models": [...]}
boost::json::object to_json(const ledger::Totals& totals, SystemTime since);

}  // namespace lichen::cli
