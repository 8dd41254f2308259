// Text made fit for HTML, XHTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace lichen::eval {

/// `text` as content or within a quoted attribute: markup characters as entities; what XML does not
/// allow at all (control characters, bytes that are no UTF-8) as U+FFFD.
std::string escaped(std::string_view text);

}  // namespace lichen::eval
