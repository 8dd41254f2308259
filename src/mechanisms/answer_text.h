// What answers say, so that they can be compared and judged.
#pragma once

#include <string>
#include <string_view>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// What an answer says, be it words or calls of tools; their ids, which differ each time, left out.
std::string said(const Answer& answer);

/// What is given as the answer: after the last "the answer is" or "answer:", else the whole;
/// without quotation marks, emphasis and full stop around it. A part of `text`.
std::string_view final_answer(std::string_view text);

/// `text` without white space around it.
std::string_view trimmed(std::string_view text);

}  // namespace lichen::mechanisms
