// Random choices that are the same on every platform and with every compiler, which those of
// <random>'s distributions are not. Only 64-bit integer arithmetic is used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace lichen::eval::tasks {

/// One well-mixed number out of two (SplitMix64's finalizer): seeds made from seeds.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b);

/// xoshiro256** (Blackman, Vigna), seeded by SplitMix64. Cheap to make and to copy.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();

  /// 0 to n - 1. n is positive and fits 32 bits.
  int below(int n) {
    return static_cast<int>(((next() >> 32) * static_cast<std::uint64_t>(n)) >> 32);
  }
  /// lo to hi, both included.
  int between(int lo, int hi) { return lo + below(hi - lo + 1); }
  bool chance(int percent) { return below(100) < percent; }
  /// A number of exactly that many decimal digits, at most 18.
  std::int64_t with_digits(int digits);

  template <class Range>
  const auto& pick(const Range& range) {
    return *std::next(std::begin(range), below(static_cast<int>(std::size(range))));
  }

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(static_cast<int>(i)))]);
    }
  }

  /// `count` different members of `range`, in random order.
  template <class Range>
  auto draw(const Range& range, int count) {
    using Item = std::remove_cvref_t<decltype(*std::begin(range))>;
    std::vector<Item> items(std::begin(range), std::end(range));
    for (int i = 0; i < count; ++i) {
      const int other = between(i, static_cast<int>(items.size()) - 1);
      std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(other)]);
    }
    items.resize(static_cast<std::size_t>(count));
    return items;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace lichen::eval::tasks
