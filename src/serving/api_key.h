// A key that stands in the environment.
#pragma once

#include <array>
#include <string_view>

namespace lichen::serving {

/// Compares in a time that tells nothing about the key, its length included.
class ApiKey {
 public:
  explicit ApiKey(std::string_view key) : digest_(digest(key)) {}

  bool is(std::string_view key) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest(std::string_view text);

  Digest digest_;
};

}  // namespace lichen::serving
