// How much of what is private is found, how much of what is found is private, what leaks, how fast.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/privacy_data.h"
#include "privacy/detector.h"
#include "privacy/mask.h"

namespace lichen::eval {

/// What is ours of a data set's type of entity, in presidio's names (EMAIL_ADDRESS, DOMAIN_NAME).
struct EntityType {
  std::string_view name;
  std::vector<privacy::Kind> kinds;  // that are right for it; empty: we have none
  /// Its values have a form or a check digit of their own or are called what they are, so patterns
  /// are for it. Not so names, places, streets, and digits that are a postal code by their place.
  bool by_pattern = false;
};
/// Null where the type is unknown.
const EntityType* entity_type(std::string_view name);

struct TypeFigures {
  std::string type;
  bool by_pattern = false;
  std::int64_t known = 0;
  std::int64_t found = 0;    // covered by spans of the right kinds, to the last letter and digit
  std::int64_t covered = 0;  // covered by spans of whatever kind
};

struct KindFigures {
  privacy::Kind kind;
  std::int64_t found = 0;
  std::int64_t right = 0;       // touches a value of a type whose kind this is
  std::int64_t is_private = 0;  // touches a value of any type
};

struct PrivacyFigures {
  std::vector<TypeFigures> types = {};  // of data with spans, in order of names
  std::vector<KindFigures> kinds = {};  // of data with spans; those of which any was found
  std::int64_t units = 0;               // of data with units
  std::int64_t leaked = 0;              // of them stand, case aside, in the masked text
  privacy::KindCounts masked = {};      // placeholders, by kind
  std::size_t bytes = 0;                // of all texts

  /// Recall over all values of types that patterns are for; 0 where there are none.
  double pattern_recall() const;
  /// Values of any type that are covered by the right kinds, of all; spans that touch a value whose
  /// kind they have, of all. 0 where there are none.
  double recall() const;
  double precision() const;
  double leaked_share() const { return units == 0 ? 0 : double(leaked) / double(units); }
};

/// Of what the detector finds and, with `names`, of each text's spans there. Fails as
/// `privacy::mask`. `progress` hears of the share that is done.
Result<PrivacyFigures> evaluate_privacy(const privacy::Detector& detector, const PrivacyData& data,
                                        const std::optional<privacy::Spans>& names,
                                        const std::function<void(double)>& progress);

/// Bytes that one core looks through in a second of its time: the texts again and again, for a
/// second at least.
Result<double> detector_speed(const privacy::Detector& detector,
                              std::span<const PrivacyText> texts);

}  // namespace lichen::eval
