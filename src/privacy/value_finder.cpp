#include "privacy/value_finder.h"

#include <algorithm>
#include <cstring>

#include "privacy/fold.h"

namespace lichen::privacy {
namespace {

std::uint32_t head_of(const char* bytes) {
  std::uint32_t head = 0;
  std::memcpy(&head, bytes, sizeof head);
  return head;
}

std::size_t slot_of(std::uint32_t head) { return head * 2654435769U >> 16; }  // Knuth 6.4

}  // namespace

ValueFinder::ValueFinder(const Vault& vault) : vault_(vault) {
  static_assert(kShortestSought >= sizeof(Head::bytes));
  for (const Vault::Form& form : vault.forms()) {
    if (vault.entries()[form.entry].kind == Kind::literal || form.folded.size() < kShortestSought) {
      continue;
    }
    heads_.push_back({.bytes = head_of(form.folded.data()), .form = &form});
    present_.set(slot_of(heads_.back().bytes));
  }
  std::ranges::sort(heads_, [](const Head& a, const Head& b) {
    if (a.bytes != b.bytes) return a.bytes < b.bytes;
    return a.form->folded.size() > b.form->folded.size();
  });
}

std::vector<ValueFinder::Found> ValueFinder::find(std::string_view text) const {
  std::vector<Found> found;
  if (heads_.empty()) return found;
  WipedString folded(text.size(), '\0');
  fold_case(text, folded.data());
  for (std::size_t i = 0; i + sizeof(Head::bytes) <= folded.size(); ++i) {
    const std::uint32_t bytes = head_of(&folded[i]);
    if (!present_.test(slot_of(bytes)) || !word_edge(text, i)) continue;
    const auto same = std::ranges::equal_range(heads_, bytes, {}, &Head::bytes);
    for (const Head& head : same) {
      const WipedString& form = head.form->folded;
      if (folded.compare(i, form.size(), form) != 0 || !word_edge(text, i + form.size())) continue;
      const Vault::Entry& entry = vault_.entries()[head.form->entry];
      found.push_back(
          {.span = {.begin = i, .end = i + form.size(), .kind = entry.kind}, .entry = &entry});
      i += form.size() - 1;
      break;
    }
  }
  return found;
}

}  // namespace lichen::privacy
