#include "policy/nearest.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace lichen::policy {
namespace {

using base::to_lower;

constexpr std::size_t kLongestWord = 64;  // longer ones are no slips of the pen
constexpr std::size_t kListed = 24;

/// Insertions, deletions, changes and swaps of neighbours that turn `a` into `b` (the restricted
/// Damerau-Levenshtein distance).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = to_lower(a[i - 1]) == to_lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
                           to_lower(a[i - 2]) == to_lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) return {};
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string best;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t count = edits(word, candidate);
    if (count < fewest && count < candidate.size()) {
      fewest = count;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string best = nearest(word, candidates);
  return best.empty() ? std::string() : " (did you mean `" + best + "`?)";
}

std::string list(std::span<const std::string> words) {
  std::string result;
  for (const std::string& word : words.first(std::min(words.size(), kListed))) {
    if (!result.empty()) result += ", ";
    result += '`' + word + '`';
  }
  if (words.size() > kListed) result += " and " + std::to_string(words.size() - kListed) + " more";
  return result;
}

}  // namespace lichen::policy
