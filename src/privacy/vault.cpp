#include "privacy/vault.h"

#include "privacy/fold.h"

namespace lichen::privacy {
namespace {

WipedString folded(std::string_view text) {
  WipedString out(text.size(), '\0');
  fold_case(text, out.data());
  return out;
}

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::credit_card:
    case Kind::iban:
    case Kind::bank_account:
    case Kind::us_ssn:
    case Kind::national_id:
    case Kind::passport:
    case Kind::driver_license:
    case Kind::phone: return true;
    default: return false;
  }
}

/// What is equal for values that are the same.
WipedString normal_form(Kind kind, std::string_view value) {
  if (kind == Kind::secret || kind == Kind::literal) return WipedString(value);  // case counts
  WipedString normal = folded(value);
  const std::string_view passed_over = is_number(kind) ? " \t\r\n.-()/" : "";
  std::erase_if(normal, [&](char c) { return passed_over.find(c) != std::string_view::npos; });
  if (kind == Kind::phone && normal.starts_with("00")) normal.replace(0, 2, "+");
  return normal;
}

}  // namespace

const Vault::Entry& Vault::keep(Kind kind, std::string_view value) {
  const auto [known, is_new] =
      by_value_.try_emplace(Key(kind, normal_form(kind, value)), entries_.size());
  const std::size_t index = known->second;
  if (is_new) {
    entries_.push_back(
        {.kind = kind, .value = WipedString(value), .placeholder = series_->next(names_.of(kind))});
    by_placeholder_.emplace(std::string_view(folded(entries_.back().placeholder)), index);
  }
  WipedString form = folded(value);
  if (seen_.emplace(index, form).second)
    forms_.push_back({.folded = std::move(form), .entry = index});
  return entries_[index];
}

const Vault::Entry* Vault::find(std::string_view placeholder) const {
  const auto found = by_placeholder_.find(std::string_view(folded(placeholder)));
  return found == by_placeholder_.end() ? nullptr : &entries_[found->second];
}

bool Vault::may_become_placeholder(std::string_view begin) const {
  const WipedString lower = folded(begin);
  const auto next = by_placeholder_.lower_bound(std::string_view(lower));
  return next != by_placeholder_.end() && next->first.starts_with(std::string_view(lower));
}

}  // namespace lichen::privacy
