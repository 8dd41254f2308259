// A grammar in GBNF, compiled into a network that GrammarMatcher walks.
//
// GBNF is llama.cpp's notation: rules `name ::= ...` of "literals", [classes], . (any character),
// (groups), a | b, and x? x* x+ x{m} x{m,} x{m,n}; `root` is where it starts. It is read here and
// not by libllama, whose parser recurses without bound, prints what it cannot parse, and whose
// matcher keeps one stack for each way to read the text, of which there may be exponentially many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lichen/result.h"

namespace lichen::model {

/// Immutable. `states` is one nondeterministic automaton for each rule, all in one list.
struct Grammar {
  enum class Kind : std::uint8_t {
    fork,  // goes on at `next` and, unless it is -1, at `other`
    read,  // takes a character of the class `other`, then `next`
    call,  // goes through the rule `other`, then `next`
    done,  // the rule is complete
  };
  struct State {
    Kind kind = Kind::fork;
    bool last = false;  // nothing but `done` can follow
    std::int32_t next = -1;
    std::int32_t other = -1;
  };
  struct Range {  // of Unicode code points
    std::uint32_t first;
    std::uint32_t last;
  };
  using Class = std::vector<Range>;  // rising, without overlap

  std::vector<State> states;
  std::vector<Class> classes;
  std::vector<std::int32_t> starts;  // the first state of each rule
  std::int32_t root = 0;             // the rule
};

/// Bounds on what a request may bring. Ordinary grammars stay far below; each keeps memory or
/// recursion small.
struct GrammarBounds {
  static constexpr std::size_t kBytes = 1 << 19;
  static constexpr std::size_t kRules = 10'000;
  static constexpr std::size_t kNesting = 100;     // groups in groups
  static constexpr std::size_t kStates = 200'000;  // repetitions count as often as they repeat
};

/// `bad_request` with line and column where the text is no GBNF, or with the bound that it exceeds;
/// `unsupported` for references to tokens (`<[12]>`).
Result<Grammar> parse_gbnf(std::string_view text);

}  // namespace lichen::model
