#include "base/energy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace lichen::base {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return line;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// A file of one number that stays open: it is read around every batch.
class NumberFile {
 public:
  explicit NumberFile(const fs::path& file) : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~NumberFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  NumberFile(NumberFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  NumberFile& operator=(NumberFile&&) = delete;

  std::optional<std::uint64_t> read() const {
    std::array<char, 32> text;
    const ssize_t size = ::pread(fd_, text.data(), text.size(), 0);
    if (size <= 0) return std::nullopt;
    const std::string_view line(text.data(), static_cast<std::size_t>(size));
    return parse_number(line.substr(0, line.find('\n')));
  }

 private:
  int fd_;
};

/// One processor package's counter.
struct Counter {
  NumberFile energy_uj;
  std::uint64_t range_uj = 0;              // the counter starts again at 0 after this value
  std::optional<std::uint64_t> last = {};  // none: the last reading failed
};

/// Microjoules since the last call.
std::optional<std::uint64_t> advance(Counter& counter) {
  const std::optional<std::uint64_t> before = counter.last;
  counter.last = counter.energy_uj.read();
  if (!before || !counter.last) return std::nullopt;
  if (*counter.last >= *before) return *counter.last - *before;
  if (*before > counter.range_uj) return std::nullopt;  // reset, not wrapped
  return counter.range_uj - *before + *counter.last;
}

}  // namespace

struct EnergyMeter::Counters {
  std::vector<Counter> packages;
};

EnergyMeter::EnergyMeter(std::unique_ptr<Counters> counters) : counters_(std::move(counters)) {}
EnergyMeter::~EnergyMeter() = default;
EnergyMeter::EnergyMeter(EnergyMeter&&) noexcept = default;
EnergyMeter& EnergyMeter::operator=(EnergyMeter&&) noexcept = default;

std::optional<EnergyMeter> EnergyMeter::open(const fs::path& powercap) {
  auto counters = std::make_unique<Counters>();
  std::error_code error;
  for (fs::directory_iterator zone(powercap, error), end; !error && zone != end;
       zone.increment(error)) {
    // "intel-rapl:0" is a package, "intel-rapl:0:1" a part of one; "psys", the whole platform,
    // would count the packages again.
    const std::string folder = zone->path().filename().string();
    if (!folder.starts_with("intel-rapl:") || std::ranges::count(folder, ':') != 1) continue;
    const std::optional<std::string> name = read_line(zone->path() / "name");
    if (!name || !name->starts_with("package")) continue;
    Counter counter{.energy_uj = NumberFile(zone->path() / "energy_uj")};
    counter.range_uj = NumberFile(zone->path() / "max_energy_range_uj").read().value_or(0);
    counter.last = counter.energy_uj.read();
    if (!counter.last) return std::nullopt;  // a sum without this package would be wrong
    counters->packages.push_back(std::move(counter));
  }
  if (error || counters->packages.empty()) return std::nullopt;
  return EnergyMeter(std::move(counters));
}

std::optional<double> EnergyMeter::take() {
  std::uint64_t sum_uj = 0;
  bool known = true;
  for (Counter& counter : counters_->packages) {  // all of them: each notes its new reading
    const std::optional<std::uint64_t> used = advance(counter);
    known = known && used;
    sum_uj += used.value_or(0);
  }
  if (!known) return std::nullopt;
  return static_cast<double>(sum_uj) * 1e-6;
}

}  // namespace lichen::base
