// The bookkeeping of one model's KV cache: which sequence holds which tokens in which cells, how
// sequences are moved out to memory and back, and which finished ones are kept there because a
// later prompt may begin like them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "lichen/turn.h"
#include "model/backend.h"

namespace lichen::model {

/// Where tokens come from. Only those of one origin share beginnings: others' were computed
/// otherwise, or are none of a key's business, who could find out what they are by how many of a
/// guess are `tokens_cached`.
struct Origin {
  int adapter = 0;
  std::string key = {};  // the request's virtual key; empty: none

  bool operator==(const Origin&) const = default;
};

/// Tokens that stand in the KV cache. Cells are counted by numbers of our own, one for each token;
/// sequences with a common beginning share them where the backend's do.
struct Sequence {
  Seq seq = -1;  // -1: not in the cache
  Origin origin = {};
  std::vector<Token> tokens = {};
  std::vector<std::int32_t> cells = {};
  Clock::time_point used = {};

  bool resident() const { return seq >= 0; }
};

/// The KV cells of a sequence outside the cache.
struct SavedSequence {
  std::vector<std::byte> state = {};
  int size = 0;  // tokens
};

/// Used on the lane's thread only.
///
/// Only sessions hold cells. Finished sequences are copied out to memory and back in when a prompt
/// begins like them, which costs a hundredth of computing them again: kept in the cache they would
/// make every pass slower, for attention looks at all cells up to the highest one in use.
class KvCache {
 public:
  /// `backend` must outlive the cache. At most `keep_bytes` of memory are spent on finished
  /// sequences.
  KvCache(Backend& backend, std::int64_t keep_bytes);

  int cells() const { return static_cast<int>(holders_.size()); }
  int free_cells() const { return static_cast<int>(free_cells_.size()); }
  std::int64_t kept_bytes() const { return kept_bytes_; }

  /// A live sequence is a source of shared beginnings; its address must stay the same.
  void enter(Sequence& sequence);
  void leave(Sequence& sequence);

  /// Whether `cells` cells are free, and a sequence number where `number`.
  bool has_room(int cells, bool number) const;

  /// Length of the longest beginning of `tokens` that is at hand.
  int shared_prefix(std::span<const Token> tokens, const Origin& origin) const;
  /// Cells that must be free to admit such a sequence and decode all of its tokens.
  int cells_to_admit(std::span<const Token> tokens, const Origin& origin, bool reuse) const;
  /// Gives an absent, empty sequence a number and the longest such beginning, of which it then
  /// holds the tokens. At least one token is left to decode, and all where `reuse` is false. There
  /// must be room for it.
  void admit(Sequence& sequence, std::span<const Token> tokens, bool reuse);
  /// Gives the absent, empty `copy` a number and all tokens of `source`. False: there is no room.
  bool share(const Sequence& source, Sequence& copy);

  /// The backend has decoded `tokens` at the sequence's end. There was room.
  void grow(Sequence& sequence, std::span<const Token> tokens);
  void truncate(Sequence& sequence, int size);
  /// Takes the sequence out of the cache; it keeps its tokens.
  SavedSequence save(Sequence& sequence);
  /// Puts it back, cut to its tokens, which may have become fewer meanwhile. There must be room
  /// for all that was saved. False: the backend finds none.
  bool restore(Sequence& sequence, const SavedSequence& saved);
  /// Forgets the sequence altogether.
  void release(Sequence& sequence);
  /// Releases a finished sequence, and keeps a copy for prompts that begin like it.
  void retire(Sequence& sequence);
  /// With split cells a pass takes sequences with consecutive numbers: gives `sequence` the lowest
  /// free number if that is lower than its own.
  void move_down(Sequence& sequence);

 private:
  struct Kept {
    Origin origin;
    std::vector<Token> tokens;
    SavedSequence saved;
  };
  struct Match {
    const Sequence* live = nullptr;
    const Kept* kept = nullptr;
    int length = 0;
  };
  Match longest_match(std::span<const Token> tokens, const Origin& origin) const;
  int cells_to_admit(const Match& match, int tokens) const;
  bool worth_keeping(const Sequence& sequence) const;
  void take_number(Sequence& sequence, bool lowest = true);
  void drop_number(Sequence& sequence);
  void free_number(Seq number);
  void take_cells(Sequence& sequence, int count);
  void drop_cells(Sequence& sequence, int from);
  void forget(std::list<Kept>::iterator kept);

  Backend& backend_;
  const std::int64_t keep_bytes_;
  std::vector<std::uint16_t> holders_;    // sequences that hold each cell
  std::vector<std::int32_t> free_cells_;  // cells with no holder
  std::vector<Seq> free_numbers_;         // in falling order
  std::vector<Sequence*> live_;
  std::list<Kept> kept_;  // the least recently used first
  std::int64_t kept_bytes_ = 0;
};

}  // namespace lichen::model
