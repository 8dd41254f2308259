// Guesses what comes next by finding what was last written in the prompt or the answer before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "lichen/session.h"

namespace lichen::mechanisms {

/// It looks for the latest place where the text's last three tokens stood before, and guesses that
/// the text goes on as it did there (prompt lookup decoding, Saxena 2023). That costs no pass and
/// little time.
class CopyDrafter {
 public:
  /// The tokens that come next; the drafter keeps them.
  void read(std::span<const Token> tokens);

  struct Match {
    std::size_t length = 0;            // tokens that agree before the place; 0: none
    std::span<const Token> next = {};  // what came after it; valid until `read`
    /// Of a token once `copied` before it have proved right, 0 to below 1: it grows with what
    /// agrees.
    double confidence(std::size_t copied) const;
  };
  Match find() const;

 private:
  std::uint64_t key_at(std::size_t end) const;

  std::vector<Token> text_;
  std::unordered_map<std::uint64_t, std::size_t>
      latest_;  // by the last tokens: the next one's place
  std::size_t indexed_ = 0;
};

}  // namespace lichen::mechanisms
