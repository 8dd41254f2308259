// Puts private values back where their placeholders stand, in texts and in streams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "privacy/vault.h"

namespace lichen::privacy {

/// What the placeholders stand in.
enum class Setting : std::uint8_t {
  text,
  json,  // a JSON document, such as a tool's arguments: values are escaped as its strings demand,
         // and become strings where a placeholder stands outside of one
};

/// Restores one stream. What `push` and `finish` return, put together, does not depend on how the
/// stream was cut, be it within a placeholder or a character. Only what may still become a
/// placeholder of the vault's is held back, so at most as many bytes as the longest. Placeholders
/// are known in any case; such as the vault does not hold, which a model has invented, stay as they
/// are. A JSON document in a string of another is not looked into: values there are escaped once.
/// The vault outlives it and may grow meanwhile. Not thread-safe; cannot fail.
class Unmasker {
 public:
  explicit Unmasker(const Vault& vault, Setting setting = Setting::text)
      : vault_(vault), setting_(setting) {}

  std::string push(std::string_view piece);
  /// What was held back, when nothing follows.
  std::string finish();
  /// Bytes held back.
  std::size_t held() const { return held_.size(); }

 private:
  void pass(std::string_view bytes, std::string& out);
  void restore(const Vault::Entry& entry, std::string& out) const;

  const Vault& vault_;
  const Setting setting_;
  std::string held_;  // empty, or [ and what may follow it in a placeholder
  // Of a JSON document, behind what was passed on:
  bool in_string_ = false;
  bool escaped_ = false;  // the last byte was a backslash that escapes the next
};

/// A whole text, restored.
std::string unmask(std::string_view text, const Vault& vault, Setting setting = Setting::text);

}  // namespace lichen::privacy
