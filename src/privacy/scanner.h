// Many regular expressions looked for in one pass (Vectorscan; Wang et al., "Hyperscan", NSDI
// 2019).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::privacy {

struct Expression {
  std::string regex;
  bool match_case = false;
  bool ends_only = false;  // of its matches only the ends are told, which is much cheaper
  bool utf8 = false;       // else a class's characters are bytes, and only ASCII letters know case
};

/// A compiled set of expressions. Safe from any thread; scans at the same time use working memory
/// of their own, which is kept for the next.
class Scanner {
 public:
  /// `unsupported`: the CPU lacks SSE4.2 or its like; `internal`: an expression is none, with its
  /// place and the reason. What was compiled is kept in `folder` and read from there the next time;
  /// a damaged file is made anew. Empty: nothing is kept.
  static Result<Scanner> compile(std::span<const Expression> expressions,
                                 const std::filesystem::path& folder = {});
  ~Scanner();
  Scanner(Scanner&&) noexcept;
  Scanner& operator=(Scanner&&) noexcept;

  /// A match of expression number `expression` that covers bytes `begin` to `end`. Each end is
  /// reported, with the leftmost place from which the expression leads to it (0 where ends only are
  /// told); in the order of ends.
  using OnMatch = std::function<void(std::size_t expression, std::size_t begin, std::size_t end)>;
  /// `text` is valid UTF-8, else what is found is undefined. `too_large`: 4 GiB or more.
  Result<void> scan(std::string_view text, const OnMatch& on_match) const;

 private:
  struct Compiled;
  explicit Scanner(std::unique_ptr<Compiled> compiled);

  std::unique_ptr<Compiled> compiled_;
};

}  // namespace lichen::privacy
