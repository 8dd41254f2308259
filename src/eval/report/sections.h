// The parts of the HTML report; each is empty where there is nothing to show.
#pragma once

#include <string>

#include "eval/report.h"

namespace lichen::eval {

/// The best plan in a few large numbers.
std::string tiles_section(const Report& report);
/// All plans, all figures.
std::string summary_section(const Report& report);
/// Quality against cost and against time.
std::string frontier_section(const Report& report);
std::string routers_section(const Report& report);
/// What two plans together could get right.
std::string pairs_section(const Report& report);
/// Quality by level and by family.
std::string parts_section(const Report& report);
std::string failures_section(const Report& report);
/// How the measurement was made.
std::string origin_section(const Report& report);

/// A cell with a plan's name and the colour of its kind.
std::string name_cell(const Report& report, const std::string& plan);

}  // namespace lichen::eval
