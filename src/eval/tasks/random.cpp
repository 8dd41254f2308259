#include "eval/tasks/random.h"

#include <bit>

namespace lichen::eval::tasks {

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15u * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Random::Random(std::uint64_t seed)
    : state_{mixed(seed, 0), mixed(seed, 1), mixed(seed, 2), mixed(seed, 3)} {}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::int64_t Random::with_digits(int digits) {
  std::int64_t number = between(1, 9);
  for (int i = 1; i < digits; ++i) number = number * 10 + below(10);
  return number;
}

}  // namespace lichen::eval::tasks
