#include "privacy/mask.h"

#include <array>
#include <cassert>

#include "base/ascii.h"
#include "privacy/value_finder.h"

namespace lichen::privacy {
namespace {

/// Without the brackets: a name, and a number of up to ten digits.
constexpr std::size_t kLongestPlaceholder = PlaceholderNames::kLongest + 12;

/// What looks like a placeholder of any kind and number, in any case, and is none of a vault's. No
/// value gets it.
void add_literals(std::string_view text, Vault& vault, std::vector<Span>& spans) {
  for (std::size_t open = text.find('['); open != std::string_view::npos;
       open = text.find('[', open + 1)) {
    const std::string_view rest = text.substr(open + 1, kLongestPlaceholder);
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) continue;
    const std::size_t number = rest.substr(0, close).rfind('_');
    if (number == std::string_view::npos || number + 1 == close) continue;
    bool digits = true;
    for (std::size_t i = number + 1; i < close; ++i) digits &= base::is_digit(rest[i]);
    const Span span{.begin = open, .end = open + close + 2, .kind = Kind::literal};
    if (digits && vault.names().has(rest.substr(0, number)) &&
        !vault.series()->has_given(span.in(text))) {
      vault.series()->avoid(span.in(text));
      spans.push_back(span);
    }
  }
}

}  // namespace

Masked mask(Vault& vault, std::span<const std::string_view> texts, Spans found) {
  found.resize(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    add_literals(texts[i], vault, found[i]);
    found[i] = join_overlaps(std::move(found[i]));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const Span& span : found[i]) vault.keep(span.kind, span.in(texts[i]));
  }
  const ValueFinder known(vault);
  Masked masked;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i];
    for (const auto& again : known.find(text)) found[i].push_back(again.span);
    std::string& out = masked.texts.emplace_back();
    std::size_t end = 0;
    for (const Span& span : join_overlaps(std::move(found[i]))) {
      out += text.substr(end, span.begin - end);
      out += vault.keep(span.kind, span.in(text)).placeholder;
      ++masked.counts[index_of(span.kind)];
      end = span.end;
    }
    out += text.substr(end);
  }
  return masked;
}

Result<Masked> mask(const Detector& detector, Vault& vault,
                    std::span<const std::string_view> texts) {
  return mask(detector, vault, texts, Spans(texts.size()));
}

Result<Masked> mask(const Detector& detector, Vault& vault, std::span<const std::string_view> texts,
                    Spans more) {
  assert(more.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto spans = detector.find(texts[i]);
    if (!spans) return std::unexpected(spans.error());
    more[i].insert(more[i].end(), spans->begin(), spans->end());
  }
  return mask(vault, texts, std::move(more));
}

Result<Masked> mask(const Detector& detector, Vault& vault, std::string_view text) {
  return mask(detector, vault, std::array{text});
}

}  // namespace lichen::privacy
