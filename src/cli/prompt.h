// The prompt of `lichen run`: an argument, what is piped in, or both; and the document that it is
// about.
#pragma once

#include <istream>
#include <string>

#include "lichen/result.h"

namespace lichen::cli {

/// `given`: the argument; "-" or empty stands for none. `piped`: standard input where it is no
/// terminal, else null; read to its end and put after the argument, a blank line between them.
/// `bad_request` when there is neither, when it is not UTF-8, or has over 64 MiB.
Result<std::string> read_prompt(const std::string& given, std::istream* piped);

/// All of `file`, or of `piped` where that is "-". `not_found`; `bad_request`: see
/// base::check_document; `too_large`: it has over 64 MiB.
Result<std::string> read_document(const std::string& file, std::istream& piped);

}  // namespace lichen::cli
