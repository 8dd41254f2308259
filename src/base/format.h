// Numbers for people, the same on the terminal and in reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lichen::base {

std::string format_percent(double share);       // 0.123 -> "12.3 %"
std::string format_ms(double ms);               // "0.8 ms", "12 ms", "3.40 s"
std::string format_usd(double usd);             // "$0.000012", "$1.20"
std::string format_joules(double joules);       // "0.42 J"
std::string format_count(std::int64_t number);  // "1,234,567"
std::string format_bytes(std::uint64_t bytes);  // "25.3 MB"

/// RFC 3339 in UTC with milliseconds: "2026-01-31T09:05:00.250Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace lichen::base
