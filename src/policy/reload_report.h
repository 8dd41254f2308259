// What has become of a configuration that was loaded again.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lichen/runtime.h"

namespace lichen::policy {

struct ReloadReport {
  struct Names {
    std::vector<std::string> added = {};
    std::vector<std::string> removed = {};
    std::vector<std::string> changed = {};  // made anew under the same name
    std::vector<std::string> kept = {};     // the very same as before
  };
  Names models = {};
  Names plans = {};
  std::vector<std::string> blocks = {};  // of these something changed: "serve", "ledger"
  std::chrono::milliseconds took{0};
};

/// What is the same in both runtimes is kept. `serve` is left to whoever serves.
ReloadReport report_reload(const Runtime& before, const Runtime& after);

/// In one line: "models: `a` added, `b` kept; plans: `default` changed; `serve` changed".
std::string to_string(const ReloadReport& report);

}  // namespace lichen::policy
