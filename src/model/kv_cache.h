// The bookkeeping of one model's KV cache: which sequence holds which tokens in which cells, which
// finished sequences are kept because a later prompt may begin like them, and how sequences are
// moved out to memory and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lichen/turn.h"
#include "model/backend.h"

namespace lichen::model {

/// Tokens that stand in the KV cache. Cells are counted by numbers of our own, one for each token;
/// sequences with a common beginning share them, as libllama's do.
struct Sequence {
  Seq seq = -1;  // -1: not in the cache
  int adapter = 0;
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
class KvCache {
 public:
  /// `backend` must outlive the cache. At most `keep` of the cells are spent on finished sequences,
  /// and as many only where prompts often begin like them: every cell in use makes every pass a
  /// little slower, for attention looks at all of them to find those of the sequence.
  KvCache(Backend& backend, int keep);

  int cells() const { return static_cast<int>(holders_.size()); }
  int free_cells() const { return static_cast<int>(free_cells_.size()); }

  /// A live sequence is a source of shared beginnings; its address must stay the same.
  void enter(Sequence& sequence);
  void leave(Sequence& sequence);

  /// Makes sure of `cells` free cells, and of a free sequence number where `number`, by forgetting
  /// finished sequences, the least recently used first. False: not enough even so.
  bool make_room(int cells, bool number);

  /// Length of the longest beginning of `tokens` that stands in the cache.
  int shared_prefix(std::span<const Token> tokens, int adapter) const;
  /// Gives an absent, empty sequence a number and the cells of the longest such beginning, of which
  /// it then holds the tokens. At least one token is left to decode, and all where `reuse` is
  /// false. False when there is no room for what is left.
  bool admit(Sequence& sequence, std::span<const Token> tokens, bool reuse);
  /// Gives the absent, empty `copy` a number and all cells of `source`. False: no number is free.
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
  /// Keeps a finished sequence for prompts that begin like it, as long as there is room.
  void retire(Sequence sequence);

 private:
  struct Match {
    const Sequence* source = nullptr;
    int length = 0;
  };
  Match longest_match(std::span<const Token> tokens, int adapter) const;
  void take_cells(Sequence& sequence, int count);
  void drop_cells(Sequence& sequence, int from);
  void drop_number(Sequence& sequence);
  void forget_oldest();
  int keep_now() const;

  Backend& backend_;
  const int keep_;
  std::vector<std::uint16_t> holders_;    // sequences that hold each cell
  std::vector<std::int32_t> free_cells_;  // cells with no holder
  std::vector<Seq> free_numbers_;
  std::vector<Sequence*> live_;
  std::vector<Sequence> retired_;  // the least recently used first
  int retired_cells_ = 0;          // at most: shared ones are counted for each
  double reused_ = 0;              // share of the prompts that was found, a moving average
};

}  // namespace lichen::model
