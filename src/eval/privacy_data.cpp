#include "eval/privacy_data.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <optional>
#include <span>

namespace lichen::eval {
namespace {

namespace json = boost::json;

constexpr std::string_view kBlanks = " \t\r\n";

std::unexpected<Error> wrong(std::string_view origin, const std::string& what) {
  return fail(Errc::bad_request, std::string(origin) + ": " + what);
}

/// The byte at which each character begins, and the end of the text.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

std::optional<KnownSpan> span_of(const json::value& value, std::span<const std::size_t> starts) {
  const auto* fields = value.if_object();
  if (fields == nullptr) return std::nullopt;
  const auto* type = fields->if_contains("entity_type");
  const auto* begin = fields->if_contains("start_position");
  const auto* end = fields->if_contains("end_position");
  if (type == nullptr || !type->is_string() || begin == nullptr || !begin->is_int64() ||
      end == nullptr || !end->is_int64()) {
    return std::nullopt;
  }
  const auto first = begin->as_int64(), last = end->as_int64();
  if (first < 0 || last <= first || last >= std::ssize(starts)) return std::nullopt;
  return KnownSpan{.begin = starts[static_cast<std::size_t>(first)],
                   .end = starts[static_cast<std::size_t>(last)],
                   .type = std::string(type->as_string())};
}

Result<PrivacyData> read_spans(std::string_view bytes, std::string_view origin) {
  boost::system::error_code error;
  const json::value parsed = json::parse(bytes, error);
  if (error) return wrong(origin, "not JSON: " + error.message());
  PrivacyData data{.shape = PrivacyData::Shape::spans, .texts = {}};
  for (const json::value& item : parsed.as_array()) {
    const std::string where = "text " + std::to_string(data.texts.size());
    const auto* fields = item.if_object();
    const auto* text = fields == nullptr ? nullptr : fields->if_contains("full_text");
    const auto* spans = fields == nullptr ? nullptr : fields->if_contains("spans");
    if (text == nullptr || !text->is_string() || spans == nullptr || !spans->is_array()) {
      return wrong(origin, where + " lacks \"full_text\" or \"spans\"");
    }
    PrivacyText& known =
        data.texts.emplace_back(PrivacyText{.text = std::string(text->as_string())});
    const auto starts = character_starts(known.text);
    for (const json::value& span : spans->as_array()) {
      auto place = span_of(span, starts);
      if (!place) {
        return wrong(origin, where +
                                 " has a span without entity_type, or without start_position and "
                                 "end_position within the text");
      }
      known.spans.push_back(*std::move(place));
    }
  }
  return data;
}

/// Records of fields; quotes may enclose a field, commas and line breaks in it, and are doubled.
Result<std::vector<std::vector<std::string>>> read_csv(std::string_view bytes,
                                                       std::string_view origin) {
  std::vector<std::vector<std::string>> records;
  std::size_t at = 0, line = 1;
  while (at < bytes.size()) {
    auto& record = records.emplace_back();
    for (bool more = true; more;) {
      std::string& field = record.emplace_back();
      if (at < bytes.size() && bytes[at] == '"') {
        const std::size_t opened = line;
        for (++at;; ++at) {
          if (at >= bytes.size()) {
            return wrong(origin, "the quote of line " + std::to_string(opened) + " is not closed");
          }
          if (bytes[at] == '"') {
            if (++at >= bytes.size() || bytes[at] != '"') break;
          }
          line += bytes[at] == '\n' ? 1 : 0;
          field += bytes[at];
        }
      }
      const std::size_t end = std::min(bytes.find_first_of(",\n", at), bytes.size());
      field += bytes.substr(at, end - at);
      if (field.ends_with('\r')) field.pop_back();
      more = end < bytes.size() && bytes[end] == ',';
      at = end + 1;
    }
    ++line;
  }
  return records;
}

Result<PrivacyData> read_units(std::string_view bytes, std::string_view origin) {
  if (bytes.starts_with("\uFEFF")) bytes.remove_prefix(3);
  const auto records = read_csv(bytes, origin);
  if (!records) return std::unexpected(records.error());
  const auto& header = records->front();
  const auto query = std::ranges::find(header, "user_query") - header.begin();
  const auto units = std::ranges::find(header, "pii_units") - header.begin();
  if (query == std::ssize(header) || units == std::ssize(header)) {
    return wrong(origin,
                 "neither a JSON array of texts with spans, nor CSV whose first line names the "
                 "columns user_query and pii_units");
  }
  PrivacyData data{.shape = PrivacyData::Shape::units, .texts = {}};
  for (std::size_t i = 1; i < records->size(); ++i) {
    const auto& record = (*records)[i];
    if (record.size() != header.size()) {
      return wrong(origin, "record " + std::to_string(i) + " has " + std::to_string(record.size()) +
                               " fields, the first line has " + std::to_string(header.size()));
    }
    PrivacyText& known =
        data.texts.emplace_back(PrivacyText{.text = record[static_cast<std::size_t>(query)]});
    std::string_view rest = record[static_cast<std::size_t>(units)];
    for (bool more = true; more;) {
      const std::size_t end = rest.find("||");
      std::string_view unit = rest.substr(0, end);
      more = end != std::string_view::npos;
      if (more) rest.remove_prefix(end + 2);
      const std::size_t first = unit.find_first_not_of(kBlanks);
      if (first == std::string_view::npos) continue;
      unit = unit.substr(first, unit.find_last_not_of(kBlanks) - first + 1);
      known.units.emplace_back(unit);
    }
  }
  return data;
}

}  // namespace

Result<PrivacyData> read_privacy_data(std::string_view bytes, std::string_view origin) {
  const std::size_t first = bytes.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return wrong(origin, "there is nothing in it");
  auto data = bytes[first] == '[' ? read_spans(bytes, origin) : read_units(bytes, origin);
  if (data && data->texts.empty()) return wrong(origin, "there are no texts in it");
  return data;
}

}  // namespace lichen::eval
