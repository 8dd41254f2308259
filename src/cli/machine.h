// What this machine is.
#pragma once

#include <string>
#include <string_view>

namespace lichen::cli {

/// The text after "key...:" of the first such line of a file like /proc/cpuinfo; empty without one.
std::string proc_field(const char* file, std::string_view key);

std::string cpu_name();  // empty: unknown
int usable_cores();      // by this process; 0: unknown

}  // namespace lichen::cli
