// A report as one HTML file that needs nothing beside it: no network, no script. It is also
// well-formed XML.
#pragma once

#include <string>

#include "eval/report.h"

namespace lichen::eval {

std::string to_html(const Report& report);

}  // namespace lichen::eval
