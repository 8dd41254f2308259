#include "base/format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace lichen::base {

std::string format_percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string format_ms(double ms) {
  if (ms >= 1'000) return fmt::format("{:.2f} s", ms / 1'000);
  return fmt::format("{:.{}f} ms", ms, ms < 10 ? 1 : 0);
}

std::string format_usd(double usd) {
  // Two digits that count, at least cents.
  const double size = std::abs(usd);
  if (size == 0 || size >= 0.1) return fmt::format("${:.2f}", usd);
  const int digits = std::min(12, 1 - static_cast<int>(std::floor(std::log10(size))));
  return fmt::format("${:.{}f}", usd, digits);
}

std::string format_joules(double joules) {
  return fmt::format("{:.{}f} J", joules, joules < 10 ? 2 : 0);
}

std::string format_count(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > sign + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1'000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1'000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1'000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::milliseconds>(time - day));
  char text[64];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace lichen::base
