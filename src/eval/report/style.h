// How reports and drawings look, in light and in dark surroundings.
#pragma once

#include <string_view>

namespace lichen::eval {

/// Colours and the classes of drawings: all that an SVG file needs.
std::string_view plot_style();
/// The rest of a page.
std::string_view page_style();

}  // namespace lichen::eval
