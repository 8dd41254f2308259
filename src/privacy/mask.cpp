#include "privacy/mask.h"

#include <array>
#include <cassert>

#include "privacy/value_finder.h"

namespace lichen::privacy {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// What looks like a placeholder of any kind and number, in any case.
void add_literals(std::string_view text, std::vector<Span>& spans) {
  for (std::size_t open = text.find('['); open != std::string_view::npos;
       open = text.find('[', open + 1)) {
    const std::string_view rest = text.substr(open + 1, 32);  // longer than any name with a number
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) continue;
    const std::size_t number = rest.substr(0, close).rfind('_');
    if (number == std::string_view::npos || number + 1 == close) continue;
    bool digits = true;
    for (std::size_t i = number + 1; i < close; ++i) digits &= digit(rest[i]);
    const std::string_view name = rest.substr(0, number);
    if (digits && is_placeholder_name(name)) {
      spans.push_back({.begin = open, .end = open + close + 2, .kind = Kind::literal});
    }
  }
}

}  // namespace

Result<Masked> mask(const Detector& detector, Vault& vault,
                    std::span<const std::string_view> texts) {
  return mask(detector, vault, texts, Spans(texts.size()));
}

Result<Masked> mask(const Detector& detector, Vault& vault, std::span<const std::string_view> texts,
                    const Spans& more) {
  assert(more.size() == texts.size());
  Spans found;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i];
    auto spans = detector.find(text);
    if (!spans) return std::unexpected(spans.error());
    spans->insert(spans->end(), more[i].begin(), more[i].end());
    add_literals(text, *spans);
    found.push_back(join_overlaps(*std::move(spans)));
    for (const Span& span : found.back()) vault.keep(span.kind, span.in(text));
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

Result<Masked> mask(const Detector& detector, Vault& vault, std::string_view text) {
  return mask(detector, vault, std::array{text});
}

}  // namespace lichen::privacy
