// Energy used by this machine's processor, where it offers a counter.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

namespace lichen::base {

/// Reads RAPL package counters (Linux powercap, intel-rapl:N on Intel and AMD). Not thread-safe.
class EnergyMeter {
 public:
  /// Nothing where there is no readable counter: energy is then unknown, never guessed.
  static std::optional<EnergyMeter> open(
      const std::filesystem::path& powercap = "/sys/class/powercap");
  ~EnergyMeter();
  EnergyMeter(EnergyMeter&&) noexcept;
  EnergyMeter& operator=(EnergyMeter&&) noexcept;

  /// Joules of all packages since the last call (since `open` for the first); wrap-around of the
  /// counters is taken into account. Nothing when a counter could not be read, now or then.
  std::optional<double> take();

 private:
  struct Counters;
  explicit EnergyMeter(std::unique_ptr<Counters> counters);
  std::unique_ptr<Counters> counters_;
};

}  // namespace lichen::base
