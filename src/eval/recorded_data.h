// Recorded traffic as data for routers: prompts that small alone and large alone have answered, and
// whose answers have feedback.
#pragma once

#include <string>

#include "eval/route_data.h"
#include "ledger/ledger.h"
#include "lichen/result.h"

namespace lichen::eval {

/// `small` and `large` are the plans or models that were asked; of several answers to one prompt
/// (equal but for case and blanks) the one with the latest feedback counts, and a score from one
/// half on is right. `origin` stands in errors where a file's name would. `bad_request`: no prompt
/// has both.
Result<RouteData> recorded_route_data(const ledger::Ledger& ledger, const std::string& small,
                                      const std::string& large, const std::string& origin);

}  // namespace lichen::eval
