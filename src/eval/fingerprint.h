// What makes two measurements the same, so that the one may go on where the other was interrupted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/baselines.h"
#include "eval/suite.h"
#include "policy/config.h"

namespace lichen::eval {

/// Everything that a measurement's outcomes depend on.
struct Setting {
  const Suite& suite;
  const policy::Config& config;
  const Baselines& baselines;
  std::vector<std::string> plans;
  std::string judge;
  int concurrency = 1;
  std::optional<int> max_tokens;
};

/// 32 hexadecimal digits of SHA-256 over: the suite's tasks; the configuration file's bytes; size
/// and time of change of each model's file, of each file that a plan names, and of this program;
/// the options.
std::string fingerprint(const Setting& setting);

/// The same digits over the tasks alone: what a report names a suite by.
std::string fingerprint(const Suite& suite);

}  // namespace lichen::eval
