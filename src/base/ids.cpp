#include "base/ids.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace lichen::base {
namespace {

using Ulid = unsigned __int128;

constexpr int kRandomBits = 80;
constexpr int kCharacters = 26;
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The next ULID of this process. Within one millisecond, and while the clock has been set back,
/// it counts up from the last one, as the specification's monotonic form does.
class Sequence {
 public:
  Ulid next() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
    std::lock_guard lock(mutex_);
    std::array<unsigned char, kRandomBits / 8> random;
    if (ms > static_cast<std::uint64_t>(last_ >> kRandomBits) &&
        getentropy(random.data(), random.size()) == 0) {
      last_ = ms;
      for (unsigned char byte : random) last_ = last_ << 8 | byte;
    } else {
      ++last_;  // past the largest random part this carries into the milliseconds: still rising
    }
    return last_;
  }

 private:
  std::mutex mutex_;
  Ulid last_ = 0;
};

}  // namespace

std::string new_id(std::string_view prefix) {
  static Sequence sequence;  // "of one process" needs one per process
  Ulid ulid = sequence.next();
  std::string id(prefix.size() + kCharacters, '0');
  prefix.copy(id.data(), prefix.size());
  for (auto digit = id.rbegin(); digit != id.rbegin() + kCharacters; ++digit) {
    *digit = kCrockford[static_cast<std::size_t>(ulid & 31)];
    ulid >>= 5;
  }
  return id;
}

}  // namespace lichen::base
