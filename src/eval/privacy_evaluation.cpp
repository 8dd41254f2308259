#include "eval/privacy_evaluation.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <map>

#include "privacy/fold.h"
#include "privacy/mask.h"

namespace lichen::eval {
namespace {

using privacy::Kind;
using privacy::Span;

/// A street's address holds a town's and a country's name as often as not, in the data as in what
/// is found, so either is right for the other.
const std::vector<EntityType>& entity_types() {
  static const std::vector<EntityType> kTypes = {
      {"EMAIL_ADDRESS", {Kind::email}, true},
      {"PHONE_NUMBER", {Kind::phone}, true},
      {"CREDIT_CARD", {Kind::credit_card}, true},
      {"IBAN_CODE", {Kind::iban}, true},
      {"US_BANK_NUMBER", {Kind::bank_account}, true},
      {"US_SSN", {Kind::us_ssn}, true},
      {"US_ITIN", {Kind::national_id}, true},
      {"UK_NHS", {Kind::national_id}, true},
      {"US_PASSPORT", {Kind::passport}, true},
      {"US_DRIVER_LICENSE", {Kind::driver_license}, true},
      {"IP_ADDRESS", {Kind::ip_address}, true},
      {"DOMAIN_NAME", {Kind::url}, true},
      {"URL", {Kind::url}, true},
      {"ZIP_CODE", {Kind::postal_code, Kind::address}},
      {"STREET_ADDRESS", {Kind::address, Kind::postal_code, Kind::location}},
      {"DATE_TIME", {Kind::date_of_birth, Kind::date}},
      {"PERSON", {Kind::person}},
      {"ORGANIZATION", {Kind::organization}},
      {"GPE", {Kind::location, Kind::address}},
      {"LOCATION", {Kind::location, Kind::address}},
      {"NRP", {Kind::nationality}},
      {"TITLE", {Kind::title}},
      {"AGE", {Kind::age}},
  };
  return kTypes;
}

/// Whether spans of the kinds (any, if none are named) cover all of a value but its blanks and
/// punctuation.
bool covered(std::string_view text, const KnownSpan& known, std::span<const Span> spans,
             std::span<const Kind> kinds) {
  constexpr std::string_view kNothing = " \t\r\n.,;:>";
  for (std::size_t i = known.begin; i < known.end; ++i) {
    if (kNothing.find(text[i]) != std::string_view::npos) continue;
    const bool inside = std::ranges::any_of(spans, [&](const Span& span) {
      return span.begin <= i && i < span.end &&
             (kinds.empty() || std::ranges::find(kinds, span.kind) != kinds.end());
    });
    if (!inside) return false;
  }
  return true;
}

bool touch(const Span& span, const KnownSpan& known) {
  return span.begin < known.end && known.begin < span.end;
}

std::string folded(std::string_view text) {
  std::string out(text);
  privacy::fold_case(text, out.data());
  return out;
}

/// This thread's time on a core, in seconds.
double core_time() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void add_spans(const PrivacyText& text, std::span<const Span> spans,
               std::map<std::string, TypeFigures>& types, std::map<Kind, KindFigures>& kinds) {
  for (const KnownSpan& known : text.spans) {
    const EntityType* type = entity_type(known.type);
    TypeFigures& figures = types[known.type];
    figures.type = known.type;
    figures.by_pattern = type != nullptr && type->by_pattern;
    ++figures.known;
    figures.covered += covered(text.text, known, spans, {}) ? 1 : 0;
    if (type != nullptr && !type->kinds.empty()) {
      figures.found += covered(text.text, known, spans, type->kinds) ? 1 : 0;
    }
  }
  for (const Span& span : spans) {
    KindFigures& figures =
        kinds.try_emplace(span.kind, KindFigures{.kind = span.kind}).first->second;
    ++figures.found;
    bool right = false, is_private = false;
    for (const KnownSpan& known : text.spans) {
      if (!touch(span, known)) continue;
      is_private = true;
      const EntityType* type = entity_type(known.type);
      right |= type != nullptr && std::ranges::find(type->kinds, span.kind) != type->kinds.end();
    }
    figures.right += right ? 1 : 0;
    figures.is_private += is_private ? 1 : 0;
  }
}

}  // namespace

const EntityType* entity_type(std::string_view name) {
  const auto found = std::ranges::find(entity_types(), name, &EntityType::name);
  return found == entity_types().end() ? nullptr : &*found;
}

double PrivacyFigures::pattern_recall() const {
  std::int64_t known = 0, found = 0;
  for (const TypeFigures& type : types) {
    if (!type.by_pattern) continue;
    known += type.known;
    found += type.found;
  }
  return known == 0 ? 0 : static_cast<double>(found) / static_cast<double>(known);
}

double PrivacyFigures::recall() const {
  std::int64_t known = 0, found = 0;
  for (const TypeFigures& type : types) {
    known += type.known;
    found += type.found;
  }
  return known == 0 ? 0 : static_cast<double>(found) / static_cast<double>(known);
}

double PrivacyFigures::precision() const {
  std::int64_t found = 0, right = 0;
  for (const KindFigures& kind : kinds) {
    found += kind.found;
    right += kind.right;
  }
  return found == 0 ? 0 : static_cast<double>(right) / static_cast<double>(found);
}

Result<PrivacyFigures> evaluate_privacy(const privacy::Detector& detector, const PrivacyData& data,
                                        const std::optional<privacy::Spans>& names,
                                        const std::function<void(double)>& progress) {
  PrivacyFigures figures;
  std::map<std::string, TypeFigures> types;
  std::map<Kind, KindFigures> kinds;
  for (std::size_t i = 0; i < data.texts.size(); ++i) {
    const PrivacyText& text = data.texts[i];
    figures.bytes += text.text.size();
    const privacy::Spans more = {names ? (*names)[i] : std::vector<Span>()};
    if (data.shape == PrivacyData::Shape::spans) {
      auto spans = detector.find(text.text);
      if (!spans) return std::unexpected(spans.error());
      spans->insert(spans->end(), more.front().begin(), more.front().end());
      add_spans(text, privacy::join_overlaps(*std::move(spans)), types, kinds);
    }
    privacy::Vault vault;
    const auto masked =
        privacy::mask(detector, vault, std::array<std::string_view, 1>{text.text}, more);
    if (!masked) return std::unexpected(masked.error());
    for (std::size_t kind = 0; kind < privacy::kKinds; ++kind) {
      figures.masked[kind] += masked->counts[kind];
    }
    const std::string leaving = folded(masked->texts.front());
    for (const std::string& unit : text.units) {
      ++figures.units;
      figures.leaked += leaving.contains(folded(unit)) ? 1 : 0;
    }
    if (progress) progress(static_cast<double>(i + 1) / static_cast<double>(data.texts.size()));
  }
  for (auto& [name, type] : types) figures.types.push_back(std::move(type));
  for (const auto& [kind, of_kind] : kinds) figures.kinds.push_back(of_kind);
  return figures;
}

Result<double> detector_speed(const privacy::Detector& detector,
                              std::span<const PrivacyText> texts) {
  const double begin = core_time();
  double bytes = 0, seconds = 0;
  do {
    for (const PrivacyText& text : texts) {
      if (const auto spans = detector.find(text.text); !spans) {
        return std::unexpected(spans.error());
      }
      bytes += static_cast<double>(text.text.size());
    }
    seconds = core_time() - begin;
  } while (seconds < 1);
  return bytes / seconds;
}

}  // namespace lichen::eval
