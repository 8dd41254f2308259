// The private values of one request, and the placeholders that stand for them outside.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "privacy/placeholder_names.h"
#include "privacy/placeholder_series.h"
#include "privacy/wiped.h"

namespace lichen::privacy {

/// Values of fewer bytes are masked where a detector finds them, but are not looked for anywhere
/// else, neither by `mask` nor by `check_egress`: they would be found in every other word.
inline constexpr std::size_t kShortestSought = 4;

/// Placeholders are `[EMAIL_1]`: the kind's name and its next number in the series. The same value
/// has the same placeholder; letters' case, and in numbers blanks, dots, hyphens and parentheses,
/// make no difference, and what is restored is the value as it was written first.
///
/// Made for one request and gone with it; its memory is overwritten then. It is neither copied nor
/// moved nor printed. Not thread-safe.
class Vault {
 public:
  struct Entry {
    Kind kind;
    WipedString value;        // as written first
    std::string placeholder;  // "[EMAIL_1]"
  };
  /// A way in which a value was written, in lower case (`fold_case`).
  struct Form {
    WipedString folded;
    std::size_t entry;  // of `entries`
  };

  /// The names outlive the vault. `series`: of other vaults through which the same texts go.
  explicit Vault(const PlaceholderNames& names = PlaceholderNames::plain(),
                 std::shared_ptr<PlaceholderSeries> series = std::make_shared<PlaceholderSeries>())
      : names_(names), series_(std::move(series)) {}
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  /// The entry of a value, a new one where it is not known. Valid as long as the vault.
  const Entry& keep(Kind kind, std::string_view value);
  /// The entry of a placeholder in any case; null where it is none of ours.
  const Entry* find(std::string_view placeholder) const;
  /// Whether a placeholder of ours begins so, in any case.
  bool may_become_placeholder(std::string_view begin) const;

  const PlaceholderNames& names() const { return names_; }
  const std::shared_ptr<PlaceholderSeries>& series() const { return series_; }
  const WipedDeque<Entry>& entries() const { return entries_; }
  const WipedDeque<Form>& forms() const { return forms_; }

 private:
  using Key = std::pair<Kind, WipedString>;

  const PlaceholderNames& names_;
  const std::shared_ptr<PlaceholderSeries> series_;
  WipedDeque<Entry> entries_;
  WipedDeque<Form> forms_;
  std::map<Key, std::size_t, std::less<>, Wiping<std::pair<const Key, std::size_t>>> by_value_;
  using FormKey = std::pair<std::size_t, WipedString>;
  std::set<FormKey, std::less<>, Wiping<FormKey>> seen_;            // what is in `forms_`
  std::map<std::string, std::size_t, std::less<>> by_placeholder_;  // in lower case
};

}  // namespace lichen::privacy
