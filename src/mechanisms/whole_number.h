// Options that count something.
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// `Options::number` of whole numbers alone.
template <std::integral Number>
Result<Number> whole_number(Options& options, std::string_view key, Number usual, Number least,
                            Number most) {
  const Result<double> number = options.number(
      key, static_cast<double>(usual), static_cast<double>(least), static_cast<double>(most));
  if (!number) return std::unexpected(number.error());
  if (*number != std::floor(*number)) {
    return std::unexpected(options.error(key, "`" + std::string(key) + "` must be a whole number"));
  }
  return static_cast<Number>(*number);
}

}  // namespace lichen::mechanisms
