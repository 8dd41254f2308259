// Texts of which it is known what is private in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::eval {

/// A private value with its place (bytes of UTF-8) and the data's own name for what it is.
struct KnownSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string type;
};

struct PrivacyText {
  std::string text;
  std::vector<KnownSpan> spans = {};
  std::vector<std::string> units = {};  // private strings, wherever they stand
};

struct PrivacyData {
  enum class Shape : std::uint8_t { spans, units };
  Shape shape;
  std::vector<PrivacyText> texts;
};

/// Reads either shape, told by the first character:
/// - spans: a JSON array of {"full_text", "spans": [{"entity_type", "start_position",
///   "end_position"}]}, places in Unicode characters, as presidio-research writes it;
/// - units: CSV (RFC 4180) with the columns `user_query` and `pii_units`, the latter's units parted
///   by "||", as PUPA has it.
/// `bad_request` says what is missing or wrong, and in which text or line.
Result<PrivacyData> read_privacy_data(std::string_view bytes, std::string_view origin);

}  // namespace lichen::eval
