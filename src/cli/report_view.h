// How a measurement looks on the terminal.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal.h"
#include "eval/report.h"
#include "lichen/result.h"

namespace lichen::cli {

/// One line for each plan; times are "-" where nothing was answered. Columns that have nothing to
/// show in any line (USD, joules, bytes that left) are left out.
std::string report_table(const eval::Report& report, const Terminal& terminal);

/// One line for each router that has figures, and below them the choices that routers are compared
/// with; empty without any.
std::string routers_table(const eval::Report& report, const Terminal& terminal);

/// The pairs of plans that would get most right together, a few of them, with the best first; empty
/// without any.
std::string pairs_table(const eval::Report& report, const Terminal& terminal);

/// One line for each plan: what was right and who was asked, over the course of the suite.
std::string stages_table(const eval::Report& report, const Terminal& terminal);

/// That requests failed, or nothing.
std::optional<Error> failure_of(const eval::Report& report);

}  // namespace lichen::cli
