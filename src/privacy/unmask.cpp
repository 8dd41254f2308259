#include "privacy/unmask.h"

#include <algorithm>
#include <utility>

namespace lichen::privacy {
namespace {

/// As within a JSON string (RFC 8259, section 7).
void append_escaped(std::string_view value, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : value) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out += c;
        } else {
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 0xF];
        }
    }
  }
}

}  // namespace

std::string Unmasker::push(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    if (held_.empty()) {
      const std::size_t open = std::min(piece.find('['), piece.size());
      pass(piece.substr(0, open), out);
      piece.remove_prefix(open);
      if (piece.empty()) break;
    } else if (piece.front() == '[') {  // a placeholder has one only, at its start
      pass(std::exchange(held_, {}), out);
    }
    held_ += piece.front();
    piece.remove_prefix(1);
    if (held_.back() == ']') {
      if (const Vault::Entry* entry = vault_.find(held_)) {
        restore(*entry, out);
        held_.clear();
        continue;
      }
    }
    if (!vault_.may_become_placeholder(held_)) pass(std::exchange(held_, {}), out);
  }
  return out;
}

std::string Unmasker::finish() {
  std::string out;
  pass(std::exchange(held_, {}), out);
  return out;
}

void Unmasker::pass(std::string_view bytes, std::string& out) {
  out += bytes;
  if (setting_ != Setting::json) return;
  for (const char c : bytes) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '"') {
      in_string_ = !in_string_;
    } else {
      escaped_ = in_string_ && c == '\\';
    }
  }
}

void Unmasker::restore(const Vault::Entry& entry, std::string& out) const {
  if (setting_ == Setting::text) {
    out += entry.value;
    return;
  }
  if (!in_string_) out += '"';
  append_escaped(entry.value, out);
  if (!in_string_) out += '"';
}

std::string unmask(std::string_view text, const Vault& vault, Setting setting) {
  Unmasker unmasker(vault, setting);
  std::string out = unmasker.push(text);
  out += unmasker.finish();
  return out;
}

}  // namespace lichen::privacy
