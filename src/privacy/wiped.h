// Memory that is overwritten with zeros before it goes back.
#pragma once

#include <string.h>  // explicit_bzero

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace lichen::privacy {

/// An allocator for what must not stay in memory: strings and containers of it leave nothing behind
/// when they grow, shrink or go. A short string lies within its owner, so that has to be wiped,
/// too; in a container of this allocator it is.
template <class T>
struct Wiping {
  using value_type = T;

  Wiping() = default;
  template <class Other>
  Wiping(const Wiping<Other>&) {}

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    explicit_bzero(static_cast<void*>(memory), count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const Wiping&) const = default;
};

using WipedString = std::basic_string<char, std::char_traits<char>, Wiping<char>>;
template <class T>
using WipedDeque = std::deque<T, Wiping<T>>;
template <class T>
using WipedVector = std::vector<T, Wiping<T>>;

}  // namespace lichen::privacy
