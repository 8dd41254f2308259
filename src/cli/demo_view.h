// How a measurement looks to a person.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "cli/terminal.h"
#include "eval/report.h"
#include "lichen/result.h"

namespace lichen::cli {

/// One line for each plan; p50 and p95 are "-" where nothing was answered.
std::string report_table(const eval::Report& report, const Terminal& terminal);

/// What the table shows, in one sentence: how the best mix compares with each model alone. `models`
/// are the names of rows that are models rather than plans, `large` those of the large ones.
std::string report_in_words(const eval::Report& report, const std::set<std::string>& models,
                            const std::set<std::string>& large);

/// That requests failed, or nothing.
std::optional<Error> failure_of(const eval::Report& report);

}  // namespace lichen::cli
