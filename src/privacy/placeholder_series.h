// The placeholders that stand in one request, whoever has put them there.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace lichen::privacy {

/// Numbers the placeholders of all vaults that share it, so that no two of them mean the same one.
/// In any case. Safe from any thread.
class PlaceholderSeries {
 public:
  /// `[NAME_1]`, with the next number of the name, from 1, without those that are avoided.
  std::string next(std::string_view name);
  /// From now on nobody is given this one, which somebody else has written.
  void avoid(std::string_view placeholder);
  /// Whether a vault has been given it.
  bool has_given(std::string_view placeholder) const;

 private:
  mutable std::mutex mutex_;                                 // guards all below
  std::map<std::string, std::size_t, std::less<>> numbers_;  // the last given, by name
  std::set<std::string, std::less<>> given_;                 // in lower case
  std::set<std::string, std::less<>> avoided_;               // likewise
};

}  // namespace lichen::privacy
