#include "mechanisms/routing/handover_options.h"

#include <spdlog/fmt/fmt.h>

#include <optional>
#include <string>

namespace lichen::mechanisms {

Decision handover_decision(const CriticalRule& rule, const CriticalGate& gate,
                           std::int64_t by_large, std::int64_t tokens) {
  const Criterion& criterion = *rule.criterion;
  std::string extreme;
  if (const std::optional<double> value = gate.extreme()) {
    extreme = fmt::format(", {} {:.3f}", criterion.low_is_critical ? "least" : "most", *value);
  }
  return {.mechanism = "handover",
          .choice = by_large == 0        ? "small"
                    : by_large == tokens ? "large"
                                         : "both",
          .reason = fmt::format(
              "{} {} {} at {} of {} tokens that small looked at{}; large wrote {} "
              "of {}",
              criterion.name, criterion.low_is_critical ? "under" : "from", rule.threshold,
              gate.critical_rows(), gate.rows(), extreme, by_large, tokens)};
}

}  // namespace lichen::mechanisms
