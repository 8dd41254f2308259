#include "mechanisms/fusion/philox.h"

#include <algorithm>
#include <cstddef>

namespace lichen::mechanisms {

namespace {

constexpr std::size_t kWords = 4;  // of a counter

/// Counters side by side, so that the compiler makes vectors of them.
template <std::size_t kLanes>
struct Counters {
  std::uint32_t words[kWords][kLanes];

  void run(std::uint64_t key) {
    constexpr int kRounds = 10;
    constexpr std::uint64_t kMultipliers[] = {0xD2511F53, 0xCD9E8D57};
    constexpr std::uint32_t kWeyl[] = {0x9E3779B9, 0xBB67AE85};
    auto low_key = static_cast<std::uint32_t>(key);
    auto high_key = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        const std::uint64_t a = kMultipliers[0] * words[0][i];
        const std::uint64_t b = kMultipliers[1] * words[2][i];
        words[0][i] = static_cast<std::uint32_t>(b >> 32) ^ words[1][i] ^ low_key;
        words[1][i] = static_cast<std::uint32_t>(b);
        words[2][i] = static_cast<std::uint32_t>(a >> 32) ^ words[3][i] ^ high_key;
        words[3][i] = static_cast<std::uint32_t>(a);
      }
      low_key += kWeyl[0];
      high_key += kWeyl[1];
    }
  }
};

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  Counters<1> one{};
  for (std::size_t word = 0; word < kWords; ++word) one.words[word][0] = counter[word];
  one.run(key);
  for (std::size_t word = 0; word < kWords; ++word) counter[word] = one.words[word][0];
  return counter;
}

void RandomSequence::draw(std::uint64_t first, std::span<std::uint32_t> words) const {
  constexpr std::size_t kLanes = 16;
  std::size_t done = 0;
  while (done < words.size()) {
    const std::uint64_t counter = (first + done) / kWords;
    Counters<kLanes> lanes;
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes.words[0][i] = static_cast<std::uint32_t>(counter + i);
      lanes.words[1][i] = static_cast<std::uint32_t>((counter + i) >> 32);
      lanes.words[2][i] = static_cast<std::uint32_t>(stream);
      lanes.words[3][i] = static_cast<std::uint32_t>(stream >> 32);
    }
    lanes.run(seed);
    const std::size_t begin = (first + done) % kWords;
    const std::size_t end = std::min(kLanes * kWords, begin + words.size() - done);
    for (std::size_t i = begin; i < end; ++i) {
      words[done + i - begin] = lanes.words[i % kWords][i / kWords];
    }
    done += end - begin;
  }
}

}  // namespace lichen::mechanisms
