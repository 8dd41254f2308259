// Follows a text through a grammar, byte by byte, and says which bytes may come next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "model/grammar.h"

namespace lichen::model {

/// All ways to read the text so far are followed at once. A rule that is entered at one place of
/// the text is one `Call`, however many ways lead to it and on from it (a graph-structured stack:
/// Scott and Johnstone, "GLL parsing", 2010), so their number does not multiply with ambiguity, and
/// recursion of any kind is allowed. What one byte costs can still grow with the grammar and with
/// the text, so all steps are counted, and `allow` says how many may be taken.
///
/// `push` and `pop` make trying cheap: what a byte adds lies on top and is cut off again. Not
/// thread-safe.
class GrammarMatcher {
 public:
  /// Stands at the beginning of the text, which takes `steps` at most.
  GrammarMatcher(std::shared_ptr<const Grammar> grammar, std::uint64_t steps);

  /// From here on `steps` at most.
  void allow(std::uint64_t steps) { limit_ = work_ + steps; }
  /// It would have taken more steps than allowed; what the other functions return means nothing.
  bool exhausted() const { return work_ > limit_; }

  /// Takes one more byte; false, and nothing changes, where the grammar does not allow it.
  bool push(unsigned char byte);
  /// Takes back all but the first `length` bytes pushed since the last `keep`.
  void pop(std::size_t length);
  /// Bytes pushed since the last `keep`.
  std::size_t length() const { return depth_; }
  /// Makes the bytes pushed so far final.
  void keep();

  /// Whether some text can follow that begins inside this character, if it is unfinished.
  bool viable() const;
  /// The text is complete as it is.
  bool may_end() const { return frames_[depth_].complete && frames_[depth_].missing == 0; }
  /// Some byte may follow.
  bool may_go_on() const { return !frames_[depth_].items.empty(); }

  /// Entries in memory; they grow with the text.
  std::size_t size() const { return calls_.size() + returns_.size(); }

 private:
  /// One way to read the text: in which state, inside which call.
  struct Item {
    std::int32_t state;
    std::int32_t call;
  };
  /// A rule entered at one place of the text.
  struct Call {
    std::int32_t returns = -1;  // the first of a list
    std::uint64_t visited = 0;  // by which `add_return`
    bool finished = false;      // without taking a character yet
  };
  /// Where a call goes on when it is done.
  struct Return {
    Item to;
    std::int32_t next;  // in the list
  };
  /// What is known after a byte. Between the bytes of one character the items stay the same.
  struct Frame {
    std::vector<Item> items = {};  // all in states that read
    bool complete = false;
    std::uint32_t character = 0;  // the bits of an unfinished character
    int missing = 0;              // its bytes still to come
    std::uint32_t least = 0;      // the smallest that needs as many bytes
    std::size_t calls = 0;        // sizes of the lists
    std::size_t returns = 0;
  };
  /// Which items have been seen at this place: open addressing, cleared by counting up.
  class Seen {
   public:
    void clear();
    bool insert(Item item);

   private:
    struct Slot {
      Item item = {};
      std::uint64_t round = 0;
    };
    void grow();
    std::vector<Slot> slots_ = std::vector<Slot>(64);
    std::uint64_t round_ = 1;
    std::size_t count_ = 0;
  };

  Frame& next_frame();
  bool step(std::uint32_t character);
  void close(Frame& frame);
  void enter(Item caller, const Grammar::State& state);
  void add_return(std::int32_t callee, Item to);
  void add(Item item);
  bool reads(const Item& item, std::uint32_t first, std::uint32_t last) const;
  Call& call(std::int32_t index) { return calls_[static_cast<std::size_t>(index)]; }
  const Grammar::State& state(std::int32_t index) const {
    return grammar_->states[static_cast<std::size_t>(index)];
  }
  bool is_new(std::int32_t index) const { return index >= first_new_; }

  const std::shared_ptr<const Grammar> grammar_;
  std::vector<Call> calls_;
  std::vector<Return> returns_;
  std::vector<Frame> frames_;  // [0] at the last `keep`, [depth_] now; those above are spare
  std::size_t depth_ = 0;
  std::uint64_t work_ = 0;  // small steps so far
  std::uint64_t limit_;

  // While one character is taken:
  std::vector<Item> open_ = {};  // still to look at
  std::vector<Item> todo_ = {};  // of `add_return`
  Seen seen_ = {};
  struct Entered {
    std::uint64_t place = 0;
    std::int32_t call = -1;
  };
  std::vector<Entered> entered_;  // by rule: its call at this place
  std::uint64_t place_ = 0;
  std::uint64_t visit_ = 0;
  std::int32_t first_new_ = 0;  // calls from here on were entered at this place
};

}  // namespace lichen::model
