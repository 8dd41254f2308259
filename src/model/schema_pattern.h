// Which regular expressions a JSON schema's `pattern` may hold.
#pragma once

#include <boost/json/value.hpp>

#include "lichen/result.h"

namespace lichen::model {

/// `unsupported` for a pattern that llama.cpp's converter cannot turn into a grammar. It would
/// accept any string in its place, and print the pattern to stderr.
Result<void> check_patterns(const boost::json::value& schema);

}  // namespace lichen::model
