// lichen-distill, which has libtorch, as a process of its own.
#pragma once

#include <boost/json/object.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::cli {

/// `lichen-distill train ARGUMENTS`, to its end; what it says on stderr, its progress and errors,
/// goes to this process's. Returns the report that its `--json` writes. `not_found`: this build has
/// none (see find_trainer); `cancelled`: it was stopped, as Ctrl-C stops it; `upstream`: it failed.
Result<boost::json::object> run_trainer(const std::vector<std::string>& arguments,
                                        const std::stop_token& stop);

}  // namespace lichen::cli
