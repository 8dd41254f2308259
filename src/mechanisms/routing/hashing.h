// Hashes of texts that are the same on every platform: a trained router's file depends on them, so
// changing one means a new file version.
#pragma once

#include <cstdint>
#include <string_view>

namespace lichen::mechanisms {

/// SplitMix64's finalizer (Steele, Lea, Flood 2014): every bit of the input moves all of the
/// output.
constexpr std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

inline constexpr std::uint64_t kHashStart = 0xcbf29ce484222325u;

/// One step of FNV-1a. The low bits are weak: finish with `mixed`.
constexpr std::uint64_t hash_step(std::uint64_t hash, unsigned char byte) {
  return (hash ^ byte) * 0x100000001b3u;
}

constexpr std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = kHashStart;
  for (const char c : text) hash = hash_step(hash, static_cast<unsigned char>(c));
  return mixed(hash);
}

/// A number from 0 up to 1 out of a hash.
constexpr double unit_interval(std::uint64_t hash) {
  return static_cast<double>(hash >> 11) * 0x1.0p-53;
}

}  // namespace lichen::mechanisms
