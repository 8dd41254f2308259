// Puts placeholders in the place of private values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "privacy/detector.h"
#include "privacy/vault.h"

namespace lichen::privacy {

/// Spans of several texts, of each in its order.
using Spans = std::vector<std::vector<Span>>;

struct Masked {
  std::vector<std::string> texts;  // as many as were given
  KindCounts counts = {};          // placeholders in them
};

/// Masks the texts of a request together: what was found in one of them is masked in all, and with
/// it whatever the vault holds already. Text that looks like a placeholder is kept as a LITERAL,
/// unless the vault or another of its series has given it out: every placeholder in the result is
/// one of theirs.
/// `found` has the spans of each text, at character boundaries; they may overlap.
Masked mask(Vault& vault, std::span<const std::string_view> texts, Spans found);
/// The same with what the detector finds. Fails as `Detector::find`.
Result<Masked> mask(const Detector& detector, Vault& vault,
                    std::span<const std::string_view> texts);
/// The same with more spans than the detector's, for each text, at character boundaries; they may
/// overlap.
Result<Masked> mask(const Detector& detector, Vault& vault, std::span<const std::string_view> texts,
                    Spans more);
/// Of one text.
Result<Masked> mask(const Detector& detector, Vault& vault, std::string_view text);

}  // namespace lichen::privacy
